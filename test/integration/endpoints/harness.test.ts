// Server and harness against each other: the harness measures the delay that the server makes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { spawnServer } from "../../support/echo-server.ts";
import { measureWithHarness } from "../../support/harness.ts";

test("a target of 20 ms reads as 20 ms, and loses nothing", async (t) => {
  const { authority } = await spawnServer(t);
  const { summary, messages } = await measureWithHarness(`ws://${authority}/echo?delay=20ms`, [
    ...["--duration", "1s", "--warmup", "300ms", "--connections", "4", "--verify", "full"],
  ]);
  assert.deepEqual([messages.lost, messages.corrupt], [0, 0]);
  const { min, p50 } = summary?.latencyUs ?? {};
  assert.ok(min !== undefined && min >= 20_000, `${min} us at least`);
  // As long as a busy machine needs to wake two processes, and far from twice the delay being counted.
  assert.ok(p50 !== undefined && p50 !== null && p50 < 40_000, `${p50} us in the middle`);
});
