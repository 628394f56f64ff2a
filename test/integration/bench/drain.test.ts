import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { type DrainReport, drainSchema } from "../../../bench/result/drain.ts";
import { spawnServer } from "../../support/echo-server.ts";
import { harnessPath } from "../../support/harness.ts";
import { startDroppingServer } from "../../support/known-faults.ts";

/** Rehearses a drain for three seconds. */
function drain(
  url: string,
  args: readonly string[],
): Promise<{ report: DrainReport; code: number; stderr: string }> {
  const command = [harnessPath, "drain", url, "--at", "1s", "--for", "2s", "-c", "16", "-r", "400", ...args];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [...command, "--json"], { timeout: 60_000 }, (error, stdout, stderr) => {
      const parsed = drainSchema.safeParse(stdout === "" ? undefined : JSON.parse(stdout));
      if (parsed.success) {
        resolve({ report: parsed.data, code: typeof error?.code === "number" ? error.code : 0, stderr });
      } else {
        reject(error ?? parsed.error);
      }
    });
  });
}

test("a server that drops 3 echoes at SIGTERM is found to have lost 3, with exit code 1", async (t) => {
  const { url, pid } = await startDroppingServer(t, 3);
  const { report, code } = await drain(url, ["--signal", String(pid)]);
  assert.equal(report.messages.lost, 3);
  assert.equal(code, 1);
  assert.ok(report.failures.includes("3 echoes were lost"), report.failures.join());
  assert.equal(report.messages.answered + report.messages.lost, report.messages.accepted);
});

test("clients that get 1001 reconnect, and each one's gap is measured", async (t) => {
  const { url, pid } = await startDroppingServer(t, 0);
  const { report, code } = await drain(url, ["--exec", `kill ${pid}`, "--reconnect", "full-jitter:50ms:1s"]);
  assert.deepEqual(report.failures, []);
  assert.equal(code, 0);
  assert.deepEqual(report.trigger.exitCode, 0);
  assert.deepEqual([...new Set(report.closes.map(({ kind }) => kind))], ["closed-1001"]);
  assert.equal(report.gaps.back, 16);
  assert.equal(report.gaps.absent, 0);
  assert.ok((report.gaps.latencyUs?.max ?? 0) > 0);
});

test("our own server under load loses nothing at SIGTERM", async (t) => {
  const { authority, pid } = await spawnServer(t);
  const args = ["--signal", String(pid), "--reconnect", "never", "--for", "5s"];
  const { report } = await drain(`ws://${authority}/echo`, args);
  assert.equal(report.messages.lost, 0);
  assert.deepEqual(report.failures, []);
  assert.equal(report.partial, null);
  assert.ok(report.trigger.seconds !== null, "the process is gone");
});

test("of several generators only the first one starts the drain", async (t) => {
  const { authority, pid, child } = await spawnServer(t);
  const { report } = await drain(`ws://${authority}/echo`, [
    ...["--part", "2/2", "--totals", "--signal", String(pid), "--reconnect", "never"],
  ]);
  assert.equal(child.exitCode, null);
  assert.deepEqual(report.closes, []);
  assert.equal(report.load.connections, 8);
  assert.match(report.warnings.join(), /The process was still there at the end/);
});

test("a server that is killed is recognized by 1006, with exit code 1", async (t) => {
  const { url, pid } = await startDroppingServer(t, 0);
  const { report, code } = await drain(url, ["--exec", `kill -9 ${pid}`, "--reconnect", "never"]);
  assert.equal(code, 1);
  assert.ok(report.failures.includes("16 connections ended with 1006"), report.failures.join());
});
