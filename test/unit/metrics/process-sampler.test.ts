import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gcKinds, ProcessSampler, RuntimeMonitor } from "../../../src/metrics/process-sampler.ts";
import { waitUntil } from "../../support/wait.ts";

test("the event-loop delay is that since it was last taken, and never NaN", async (t) => {
  const monitor = new RuntimeMonitor();
  t.after(() => monitor.stop());
  assert.deepEqual(Object.values(monitor.takeDelay()), [0, 0, 0, 0, 0, 0, 0]);
  await sleep(200);
  const blockedUntil = performance.now() + 300;
  while (performance.now() < blockedUntil) {
    // Blocks the event loop.
  }
  await sleep(200);
  assert.ok(monitor.takeDelay().max >= 0.15);
  assert.ok(Object.values(monitor.takeDelay()).every(Number.isFinite));
});

test("garbage collections are counted by kind until it is stopped", async () => {
  const monitor = new RuntimeMonitor();
  const total = (): number =>
    gcKinds.reduce(
      (sum, kind) => sum + monitor.collections(kind).counts.reduce((all, count) => all + count, 0),
      0,
    );
  let kept: unknown[] = [];
  await waitUntil(() => {
    kept = Array.from({ length: 100_000 }, (_, i) => ({ i }));
    return total() > 0;
  }, "a collection to be counted");
  assert.ok(kept.length > 0);
  monitor.stop();
});

test("a sample has the CPU time and memory of this process", (t) => {
  const sampler = new ProcessSampler(3);
  t.after(() => sampler.stop());
  const sample = sampler.read();
  assert.equal(sample.worker, 3);
  assert.ok(sample.cpuSeconds > 0 && sample.residentBytes > 1e6);
  assert.ok(sample.eventLoopUtilization >= 0 && sample.eventLoopUtilization <= 1);
});
