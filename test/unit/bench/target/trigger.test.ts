import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createTrigger } from "../../../../bench/target/trigger.ts";
import { waitUntil } from "../../../support/wait.ts";

test("sends a signal once, and measures the time until the process has ended", async (t) => {
  const child = spawn(process.execPath, ["-e", "console.log(1); setInterval(() => {}, 1000)"]);
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  const exited = once(child, "exit");
  const trigger = createTrigger({ kind: "signal", pid: child.pid ?? 0, signal: "SIGTERM" });
  trigger.fire();
  assert.deepEqual(await exited, [null, "SIGTERM"]);
  const { seconds, exitCode } = await trigger.finish();
  assert.ok(seconds !== null && seconds >= 0);
  assert.equal(exitCode, null);
});

test("reports a process that does not end", async (t) => {
  const child = spawn(process.execPath, [
    "-e",
    "process.on('SIGTERM', () => {}); console.log(1); setInterval(() => {}, 1000)",
  ]);
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  const trigger = createTrigger({ kind: "signal", pid: child.pid ?? 0, signal: "SIGTERM" });
  trigger.fire();
  assert.equal((await trigger.finish()).seconds, null);
});

test("a command that ends has an exit code; one that does not is ended", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "trigger-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const marks = ["failed", "running"].map((name) => join(folder, name));
  const failing = createTrigger({ kind: "exec", command: `exec >${marks[0]}; echo $$; exit 3` });
  failing.fire();
  const running = createTrigger({ kind: "exec", command: `echo $$ >${marks[1]}; exec sleep 600` });
  running.fire();
  await waitUntil(
    () => marks.every((mark) => existsSync(mark) && readFileSync(mark).length > 0),
    "both to start",
  );
  const pids = marks.map((mark) => Number(readFileSync(mark, "utf8")));
  await waitUntil(() => !existsSync(`/proc/${pids[0]}`), "the first to end");
  assert.equal((await failing.finish()).exitCode, 3);
  assert.deepEqual(await running.finish(), { exitCode: null, seconds: null });
  await waitUntil(() => !existsSync(`/proc/${pids[1]}`), "the second to be ended");
});
