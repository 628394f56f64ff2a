import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { idleSchema } from "../../../bench/result/idle.ts";
import { harnessPath } from "../../support/harness.ts";
import { startKeepingServer } from "../../support/known-faults.ts";

test("finds that a server keeps exactly 1,024 bytes per connection", async (t) => {
  const { url, pid } = await startKeepingServer(t, { kind: "each", bytes: 1024 });
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      ...[harnessPath, "idle", url, "--steps", "1000,2000,3000,4000", "--hold", "1s"],
      ...["--connect-rate", "2000", "--ping", "500ms", "--pid", String(pid), "--json"],
    ],
    { timeout: 60_000 },
  );
  const report = idleSchema.parse(JSON.parse(stdout));
  const { bytesPerConnection = 0, measure } = report.process ?? {};
  // On a quiet machine within 5 %; the process's own pages move the slope by more where others take the CPU.
  assert.ok(Math.abs(bytesPerConnection / 1024 - 1) < 0.2, `${bytesPerConnection} bytes`);
  assert.equal(measure, "anonymous");
  assert.deepEqual(
    report.steps.map(({ open }) => open),
    [1000, 2000, 3000, 4000],
  );
  assert.equal(report.connections.opened, 4000);
  // Those of connections that were closed while their pings were under way, too.
  assert.equal(report.lostPings, 0);
  assert.ok(report.steps.every(({ pongs }) => pongs > 0));
});
