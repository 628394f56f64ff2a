import assert from "node:assert/strict";
import { test } from "node:test";
import { AlarmClock } from "../../../../bench/load/alarm.ts";
import { inTime } from "../../../support/wait.ts";

const nsPerMs = 1e6;

/** Resolves with the time at which the clock called back. */
function ringAt(clock: AlarmClock, atNs: number): Promise<number> {
  return inTime(
    new Promise((resolve) => clock.callAtNs(atNs, () => resolve(clock.nowNs()))),
    "the alarm rings",
  );
}

test("an alarm fires when it is due, and never before: by a helper thread, or at once", async (t) => {
  const clock = new AlarmClock();
  t.after(() => clock.close());
  for (const delayNs of [30 * nsPerMs, 2 * nsPerMs, 0.01 * nsPerMs, -nsPerMs]) {
    const atNs = clock.nowNs() + delayNs;
    const rangNs = await ringAt(clock, atNs);
    assert.ok(rangNs >= atNs, `${atNs - rangNs} ns too early after ${delayNs} ns`);
  }
});

test("several alarms fire once each, in order", async (t) => {
  const clock = new AlarmClock();
  t.after(() => clock.close());
  const rang: number[] = [];
  const startNs = clock.nowNs();
  await inTime(
    new Promise<void>((resolve) => {
      const next = (turn: number): void => {
        clock.callAtNs(startNs + turn * nsPerMs, () => {
          rang.push(turn);
          if (turn === 20) {
            resolve();
          } else {
            next(turn + 1);
          }
        });
      };
      next(1);
    }),
    "all alarms have rung",
  );
  assert.deepEqual(
    rang,
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
});

test("a new alarm replaces the pending one, earlier or later", async (t) => {
  const clock = new AlarmClock();
  t.after(() => clock.close());
  let calls = 0;
  const startNs = clock.nowNs();
  clock.callAtNs(startNs + 10 * nsPerMs, () => {
    calls += 1;
  });
  await ringAt(clock, startNs + 40 * nsPerMs);
  clock.callAtNs(clock.nowNs() + 3600e9, () => {
    calls += 1;
  });
  await ringAt(clock, clock.nowNs() + nsPerMs);
  assert.equal(calls, 0);
});

test("an alarm that is cancelled, or whose clock is closed, does not fire", async () => {
  const clock = new AlarmClock();
  let calls = 0;
  const cancel = clock.callAtNs(clock.nowNs() + 5 * nsPerMs, () => {
    calls += 1;
  });
  cancel();
  await new Promise((resolve) => clock.callAfterMs(20, () => resolve(undefined)));
  clock.callAtNs(clock.nowNs() + 5 * nsPerMs, () => {
    calls += 1;
  });
  await clock.close();
  await new Promise((resolve) => clock.callAfterMs(20, () => resolve(undefined)));
  assert.equal(calls, 0);
});
