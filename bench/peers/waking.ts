// Measures how late an event loop is woken at a given time: by a timer, by a helper thread, by the alarm of open loops.
// `npm run bench:waking`

import { AlarmClock, openAlarmMemory } from "../load/alarm.ts";
import { systemClock } from "../load/clock.ts";
import { createHistogram } from "../load/histogram.ts";
import { openThread } from "../load/thread-file.ts";

interface Way {
  readonly name: string;
  /** Waits until the time, and returns when the event loop ran again. */
  readonly wake: (atNs: number) => Promise<number>;
  readonly close: () => Promise<unknown>;
}

const ratesPerSecond = [100, 1000, 5000];
const secondsEach = 1.1;

function byTimer(): Way {
  return {
    name: "timer",
    wake: (atNs) =>
      new Promise((resolve) => {
        systemClock.callAfterMs((atNs - systemClock.nowNs()) / 1e6, () => resolve(systemClock.nowNs()));
      }),
    close: () => Promise.resolve(),
  };
}

/** The thread behind the alarm, asked for the time itself: the loop does not spin. */
function byThread(): Way {
  const memory = new SharedArrayBuffer(16);
  const shared = openAlarmMemory(memory);
  const thread = openThread("alarm-thread", memory);
  return {
    name: "helper thread",
    wake: (atNs) =>
      new Promise((resolve) => {
        thread.once("message", () => resolve(systemClock.nowNs()));
        shared.atNs[0] = atNs;
        Atomics.add(shared.sequence, 0, 1);
        Atomics.notify(shared.sequence, 0);
      }),
    close: () => thread.terminate(),
  };
}

function byAlarm(): Way {
  const clock = new AlarmClock();
  return {
    name: "alarm of the open loop",
    wake: (atNs) =>
      new Promise((resolve) => {
        clock.callAtNs(atNs, () => resolve(clock.nowNs()));
      }),
    close: () => clock.close(),
  };
}

/** Wakes on an even schedule, and leaves out what is already over, as after a wake-up that was late by more than a gap. */
async function measureWay({ name, wake }: Way, ratePerSecond: number): Promise<string> {
  const gapNs = 1e9 / ratePerSecond;
  const late = createHistogram(64);
  const startNs = systemClock.nowNs() + 1e8; // Its thread starts meanwhile.
  const cpuBefore = process.cpuUsage();
  for (let dueNs = startNs; dueNs < startNs + secondsEach * 1e9; dueNs += gapNs) {
    if (dueNs > systemClock.nowNs()) {
      late.recordValue(Math.max(0, (await wake(dueNs)) - dueNs));
    }
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpuPercent = (user + system) / 1e4 / ((systemClock.nowNs() - startNs) / 1e9);
  const us = (percentile: number): string =>
    `${(late.getValueAtPercentile(percentile) / 1000).toFixed(0)} us`.padStart(9);
  const row = [
    `${ratePerSecond}/s`.padStart(7),
    us(50),
    us(99),
    us(100),
    `${cpuPercent.toFixed(0)} %`.padStart(5),
  ];
  late.destroy();
  return `${name.padEnd(22)} ${row.join("  ")}\n`;
}

// The alarm's thread does not keep the process running.
const keepAlive = setInterval(() => undefined, 1000);
process.stdout.write(`${"late by".padEnd(22)}             p50        p99        max    CPU\n`);
for (const create of [byTimer, byThread, byAlarm]) {
  for (const rate of ratesPerSecond) {
    const way = create();
    process.stdout.write(await measureWay(way, rate));
    await way.close();
  }
}
clearInterval(keepAlive);
