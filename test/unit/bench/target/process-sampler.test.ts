import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { CounterSum } from "../../../../bench/target/counters.ts";
import { samplePid } from "../../../../bench/target/process-sampler.ts";
import { waitUntil } from "../../../support/wait.ts";

test("samples CPU time, busiest thread and memory of a process, and nothing once it has ended", async () => {
  const sampler = samplePid(process.pid);
  const before = await sampler.sample(() => 1);
  const limit = process.cpuUsage().user + 60_000;
  while (process.cpuUsage().user < limit) {
    Math.sqrt(limit);
  }
  const after = await sampler.sample(() => 2);
  const usedSeconds = (after?.cpuSeconds ?? 0) - (before?.cpuSeconds ?? 0);
  assert.ok(usedSeconds >= 0.03 && usedSeconds < 30, `${usedSeconds} s`);
  assert.ok((after?.rssBytes ?? 0) > 10_000_000);
  const busiest = Math.max(...(after?.threadCpuSeconds?.values() ?? []));
  assert.ok(busiest > 0.03 && busiest <= usedSeconds, `${busiest} s`);
  assert.equal(await samplePid(4_194_304).sample(() => 0), undefined);
});

test("keeps the CPU time of a killed child, so that the sum never decreases", async (t) => {
  const [busy, idle] = ["console.log(process.pid); for (;;) {}", "setTimeout(() => {}, 1e6)"].map(
    (code) => `${process.execPath} -e '${code}'`,
  );
  const parent = spawn("/bin/sh", ["-c", `${busy} & ${idle}; wait`], { detached: true });
  t.after(() => process.kill(-(parent.pid ?? 0), "SIGKILL"));
  const [said] = await once(parent.stdout, "data");
  const child = Number(String(said));
  const sampler = samplePid(parent.pid ?? 0);
  await sampler.sample(() => 0);
  let before = await sampler.sample(() => 0);
  await waitUntil(async () => {
    before = await sampler.sample(() => 0);
    return (before?.cpuSeconds ?? 0) > 0.1;
  }, "the child works");
  process.kill(child, "SIGKILL");
  await waitUntil(async () => (await samplePid(child).sample(() => 0)) === undefined, "the child is gone");
  const after = await sampler.sample(() => 0);
  assert.ok((after?.cpuSeconds ?? 0) >= (before?.cpuSeconds ?? 1), `${after?.cpuSeconds} s`);
});

test("a sum of counters continues when one restarts, ends or is added", () => {
  const sum = new CounterSum();
  sum.take(
    new Map([
      ["a", 100],
      ["b", 50],
    ]),
    false,
  );
  assert.equal(sum.total, 0);
  sum.take(
    new Map([
      ["a", 110],
      ["b", 60],
    ]),
    true,
  );
  sum.take(
    new Map([
      ["a", 4],
      ["c", 7],
    ]),
    true,
  );
  assert.equal(sum.total, 10 + 10 + 4 + 7);
});
