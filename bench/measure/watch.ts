// Samples this process at the edges of a step, and the server there and every second in between.

import type { Clock } from "../load/clock.ts";
import type { Span } from "../load/recorder.ts";
import type { MachineMark } from "../target/machine.ts";
import type { Sampler, ServerSample } from "../target/sampler.ts";
import type { ClientMark, ServerRecord } from "./usage.ts";

/** Interval of checks for the end of the run, without a sampler. */
const idlePeriodMs = 1000;

/** CPU time and memory of this process. */
export interface ProcessUsage {
  readonly cpuUs: number;
  /** Time so far that threads were ready to run and had no CPU; null when unknown. */
  readonly waitedUs: number | null;
  readonly rssBytes: number;
}

export interface Watched {
  readonly startedAt: Date;
  readonly from: ClientMark;
  readonly until: ClientMark;
  readonly machine: { readonly from: MachineMark; readonly until: MachineMark };
  readonly server: ServerRecord | undefined;
  /** The run ended before the step did. */
  readonly isCutShort: boolean;
}

export interface WatchOptions {
  readonly clock: Clock;
  readonly now: () => Date;
  readonly processUsage: () => ProcessUsage;
  readonly markMachine: () => MachineMark;
  readonly sampler: Sampler | undefined;
  /** Resolves at the end of the run, which may be before that of the step. */
  readonly over: Promise<void>;
  /** Called when the step begins. */
  readonly onBegin?: () => void;
  /** No step was watched before. */
  readonly isFirst?: boolean;
}

/** Watches one step, until its end or that of the run. */
export async function watchSpan({ fromNs, untilNs }: Span, options: WatchOptions): Promise<Watched> {
  const { clock, now, processUsage, markMachine, sampler, over } = options;
  const samples: ServerSample[] = [];
  const sample = async (isEdge: boolean): Promise<void> => {
    const taken = await sampler?.sample(() => clock.nowNs(), isEdge);
    if (taken !== undefined) {
      samples.push(taken);
    }
  };
  const mark = (): ClientMark => ({ takenNs: clock.nowNs(), ...processUsage() });
  const waitUntil = createWait(clock, over);
  if (options.isFirst !== false) {
    await sampler?.sample(() => clock.nowNs()); // The first one takes milliseconds: not in the step.
  }
  let end = await waitUntil(fromNs);
  options.onBegin?.();
  // The step began when it was due to, even if this thread wakes up late: generators are merged by this.
  const startedAt = new Date(now().getTime() - (clock.nowNs() - fromNs) / 1e6);
  const from = mark();
  const machineFrom = markMachine();
  let until = from;
  let machineUntil = machineFrom;
  await sample(true);
  const periodNs = (sampler?.periodMs ?? idlePeriodMs) * 1e6;
  while (end === "in time") {
    const turn = Math.floor((clock.nowNs() - fromNs) / periodNs) + 1;
    const nextNs = Math.min(fromNs + turn * periodNs, untilNs);
    end = await waitUntil(nextNs);
    until = mark();
    machineUntil = markMachine();
    await sample(nextNs === untilNs || end === "over");
    if (nextNs === untilNs) {
      break;
    }
  }
  const server = sampler === undefined ? undefined : { source: sampler.source, cpus: sampler.cpus, samples };
  const machine = { from: machineFrom, until: machineUntil };
  return { startedAt, from, until, machine, server, isCutShort: end === "over" };
}

/** Creates a function that waits for a time or the end of the run. */
function createWait(clock: Clock, over: Promise<void>): (timeNs: number) => Promise<"in time" | "over"> {
  let isOver = false;
  let wake = (): void => undefined;
  const end = (): void => {
    isOver = true;
    wake();
  };
  over.then(end, end); // Once, not for every wait: handlers of a pending promise are never freed.
  return (timeNs) =>
    new Promise((resolve) => {
      // Timers count whole milliseconds, and may fire a little early.
      const delayMs = Math.max(0, Math.ceil((timeNs - clock.nowNs()) / 1e6));
      const cancel = clock.callAfterMs(isOver ? 0 : delayMs + 1, () => resolve(isOver ? "over" : "in time"));
      wake = () => {
        cancel();
        resolve("over");
      };
    });
}
