import assert from "node:assert/strict";
import { test } from "node:test";
import { warmUp } from "../../../../bench/measure/warm-up.ts";
import { VirtualClock } from "../../../support/virtual-clock.ts";
import { createVirtualWorld, exampleScenario } from "../../../support/virtual-world.ts";

const nsPerMs = 1e6;

/** What it takes to warm up a target with this latency, by the time in seconds. */
async function warmUpOf(latencyMs: (seconds: number) => number) {
  const clock = new VirtualClock();
  const world = createVirtualWorld(clock, {
    replyAtNs: (sentNs) => sentNs + latencyMs(sentNs / 1e9) * nsPerMs,
  });
  return clock.runUntil(warmUp(exampleScenario(), { world }));
}

test("a target that is steady from the start is warm after the fewest seconds that can tell", async () => {
  const { seconds, isSteady } = await warmUpOf(() => 20);
  assert.ok(isSteady);
  assert.ok(seconds >= 8 && seconds <= 10, `${seconds} s`);
});

test("a target that gets faster is warm some seconds after it stops doing so", async () => {
  const { seconds, isSteady } = await warmUpOf((at) => (at < 6 ? 40 : 20));
  assert.ok(isSteady);
  assert.ok(seconds >= 11 && seconds <= 15, `${seconds} s`);
});

test("the warm-up of a target that never settles ends after a minute", async () => {
  const { seconds, isSteady } = await warmUpOf((at) => 20 * 1.05 ** at);
  assert.equal(isSteady, false);
  assert.ok(seconds >= 59 && seconds <= 60, `${seconds} s`);
});
