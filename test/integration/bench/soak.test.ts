import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { type SoakReport, soakSchema } from "../../../bench/result/soak.ts";
import { harnessPath } from "../../support/harness.ts";
import { startKeepingServer } from "../../support/known-faults.ts";
import { waitUntil } from "../../support/wait.ts";

const run = promisify(execFile);
const miB = 2 ** 20;

function folder(t: { after(action: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), "soak-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const load = ["-c", "4", "-r", "20", "--churn", "1s"];

/** A soak of fifteen seconds, as long as it takes to see 1 MiB a minute in a process that does nothing else. */
function soak(out: string, url: string, pid: number): Promise<SoakReport> {
  const args = ["soak", url, "-d", "16s", "-w", "1s", "--pid", String(pid), "-o", out, ...load];
  return run(process.execPath, [harnessPath, ...args], { timeout: 60_000 }).then(
    () => soakSchema.parse(JSON.parse(readFileSync(out, "utf8"))),
    () => soakSchema.parse(JSON.parse(readFileSync(out, "utf8"))),
  );
}

test("distinguishes a leak of 1 MiB a minute from a saw-tooth without one", async (t) => {
  const leaking = await startKeepingServer(t, { kind: "leak", bytesPerSecond: miB / 60 });
  const sawing = await startKeepingServer(t, { kind: "saw", bytesPerSecond: 2 * miB, seconds: 2.3 });
  const path = folder(t);
  const [leak, saw] = await Promise.all([
    soak(join(path, "leak.json"), leaking.url, leaking.pid),
    soak(join(path, "saw.json"), sawing.url, sawing.pid),
  ]);
  assert.equal(leak.memory.verdict, "leak");
  const perMinute = (leak.memory.slope?.perHour ?? 0) / 60 / miB;
  assert.ok(perMinute > 0.7 && perMinute < 1.3, `${perMinute} MiB a minute`);
  assert.ok(
    leak.failures.some((failure) => /^memory: it seems to leak/.test(failure)),
    leak.failures.join(),
  );
  assert.notEqual(saw.memory.verdict, "leak", JSON.stringify(saw.memory));
  assert.equal(leak.descriptors.verdict, "none");
  assert.ok((leak.totals?.expired ?? 0) > 0, "connections were replaced");
  assert.ok(!existsSync(join(path, "leak.checkpoint.json")), "no checkpoint is left beside the report");
});

test("a checkpoint survives a kill, and report reads it", async (t) => {
  const { url, pid } = await startKeepingServer(t, { kind: "leak", bytesPerSecond: miB });
  const path = folder(t);
  const out = join(path, "soak.json");
  const checkpoint = join(path, "soak.checkpoint.json");
  const args = ["soak", url, "-d", "1h", "-w", "0", "--pid", String(pid), "-o", out, ...load];
  const child = spawn(process.execPath, [harnessPath, ...args, "--checkpoint-period", "1s"], {
    stdio: "ignore",
  });
  t.after(() => child.kill("SIGKILL"));
  await waitUntil(() => existsSync(checkpoint), "a checkpoint to be written", 30_000);
  child.kill("SIGKILL");
  const { stdout } = await run(process.execPath, [harnessPath, "report", checkpoint]);
  assert.match(stdout, /NOT ACCEPTABLE: the session ended early: this is a checkpoint after/);
  assert.ok(!existsSync(out));
});
