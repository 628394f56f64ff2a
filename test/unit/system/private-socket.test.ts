import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { createPrivateSocket } from "../../../src/system/private-socket.ts";
import type { Cleanup } from "../../support/echo-server.ts";
import { waitUntil } from "../../support/wait.ts";

const before = process.env["TMPDIR"];

function setTmpdir(t: Cleanup, path: string): void {
  process.env["TMPDIR"] = path;
  t.after(() => {
    if (before === undefined) {
      delete process.env["TMPDIR"];
    } else {
      process.env["TMPDIR"] = before;
    }
  });
}

function scratch(t: Cleanup): string {
  const folder = mkdtempSync(join(tmpdir(), "private-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("the folder is for this user alone, and can be removed", (t) => {
  setTmpdir(t, scratch(t));
  const { path, remove } = createPrivateSocket();
  assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
  remove();
  assert.equal(existsSync(dirname(path)), false);
});

test("where the temporary folder cannot be written to, shared memory is used", {
  skip: !existsSync("/dev/shm"),
}, (t) => {
  for (const bad of ["/nonexistent", join(scratch(t), "x".repeat(100))]) {
    setTmpdir(t, bad);
    const { path, remove } = createPrivateSocket();
    remove();
    assert.match(path, /^\/dev\/shm\//);
  }
});

test("removes the folders of killed processes, but not those in use", async (t) => {
  const base = scratch(t);
  setTmpdir(t, base);
  const [dead, alive] = [join(base, "uws-echo-tls-dead00"), join(base, "uws-echo-tls-alive0")];
  mkdirSync(dead);
  mkdirSync(alive);
  const killed = createServer();
  await new Promise<void>((resolve) => {
    killed.listen(join(base, "moved.sock"), resolve);
  });
  const { renameSync } = await import("node:fs");
  renameSync(join(base, "moved.sock"), join(dead, "app.sock"));
  killed.close();
  const living = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => {
    living.listen(join(alive, "app.sock"), resolve);
  });
  t.after(() => living.close());
  const { remove } = createPrivateSocket();
  await waitUntil(() => !existsSync(dead), "the dead one to be removed");
  assert.ok(existsSync(alive));
  remove();
});
