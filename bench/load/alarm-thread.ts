// The helper thread behind an alarm: it sleeps until the moment in shared memory, then posts one message.

import { parentPort, workerData } from "node:worker_threads";
import { type AlarmMemory, openAlarmMemory } from "./alarm.ts";
import { systemClock } from "./clock.ts";

/** Sleeps and posts messages until terminated by its owner. */
function main(): void {
  const { sequence, atNs } = openAlarmMemory(workerData as AlarmMemory);
  let seen = 0;
  let isRung = true;
  for (;;) {
    const waitMs = isRung ? Number.POSITIVE_INFINITY : ((atNs[0] ?? 0) - systemClock.nowNs()) / 1e6;
    if (waitMs > 0) {
      Atomics.wait(sequence, 0, seen, waitMs);
    }
    const now = Atomics.load(sequence, 0);
    if (now !== seen) {
      seen = now;
      isRung = false;
    } else if (!isRung && systemClock.nowNs() >= (atNs[0] ?? 0)) {
      isRung = true;
      parentPort?.postMessage(seen);
    }
  }
}

main();
