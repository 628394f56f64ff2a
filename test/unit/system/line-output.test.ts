import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { LineOutput } from "../../../src/system/line-output.ts";
import { waitUntil } from "../../support/wait.ts";

const line = `${"x".repeat(99)}\n`;

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-lines-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("writes every line, and flush waits for the last", async (t) => {
  const path = join(temporaryFolder(t), "log");
  const fd = openSync(path, "w");
  t.after(() => closeSync(fd));
  const output = new LineOutput(fd, 1_000_000);
  for (let i = 0; i < 1000; i++) {
    output.write(line);
  }
  await output.flush(20_000);
  assert.equal(readFileSync(path, "utf8"), line.repeat(1000));
  assert.equal(output.droppedLines, 0);
});

test("drops and counts lines beyond the limit, and continues once the output is read", async (t) => {
  const path = join(temporaryFolder(t), "pipe");
  execFileSync("mkfifo", [path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  t.after(() => closeSync(fd));
  const output = new LineOutput(fd, 10_000);
  for (let i = 0; i < 2000; i++) {
    output.write(line);
  }
  assert.equal(output.droppedLines, 1900);
  let read = 0;
  const buffer = Buffer.alloc(65_536);
  const drain = (): void => {
    try {
      read += readSync(fd, buffer);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "EAGAIN");
    }
  };
  await waitUntil(() => {
    drain();
    return read === 100 * line.length;
  }, "what was not dropped to arrive");
  output.write(line);
  await waitUntil(() => {
    drain();
    return read === 101 * line.length;
  }, "a later line to arrive");
  await output.flush(20_000);
});

test("a flush times out if the output is not read", async (t) => {
  const path = join(temporaryFolder(t), "pipe");
  execFileSync("mkfifo", [path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  t.after(() => closeSync(fd));
  const output = new LineOutput(fd, 1_000_000);
  for (let i = 0; i < 2000; i++) {
    output.write(line);
  }
  await output.flush(50);
  assert.equal(output.droppedLines, 0);
});
