// Runs several generators as one: starts their threads, sends them commands, adds up their reports.

import { Deferred } from "./deferred.ts";
import type { ErrorTally, GroupStep, Hiccups, IntervalReport, Report } from "./plan.ts";
import { type Span, spansFrom } from "./recorder.ts";
import { type SecondFigures, Seconds } from "./seconds.ts";
import { Tally } from "./tally.ts";
import type { GeneratorThread, StartGenerator } from "./threads.ts";

/** The state of one generator, by its last report. */
interface Member {
  readonly thread: GeneratorThread;
  opened: number;
  failed: number;
  isConnected: boolean;
  span: Span | undefined;
  /** End of its timeline; undefined until it is done. */
  endedNs: number | undefined;
  errors: ErrorTally;
  /** By group, as last reported. */
  readonly open: number[];
}

/** Figures of the generators in a step, from the worst one. */
export interface StepTally {
  readonly hiccups: Hiccups | undefined;
  readonly groups: readonly GroupStep[];
}

export interface CrewOptions {
  readonly groups: number;
  /** When connecting begins, on the shared clock. */
  readonly fromNs: number;
  /** A second of a step is complete. */
  readonly onSecond?: (figures: SecondFigures) => void;
  /** A generator, by its number, reports an interval. */
  readonly onInterval?: OnInterval | undefined;
}

export type OnInterval = (thread: number, report: IntervalReport) => void;

export class Crew {
  readonly #members: Member[];
  readonly #connected = new Deferred();
  readonly #done = new Deferred();
  readonly #seconds: Seconds;
  readonly #onInterval: OnInterval | undefined;
  /** By group; of each, the time before the timeline first, then the steps. */
  readonly #tallies: Tally[][];
  readonly #steps: StepTally[] = [];
  #isStopped = false;

  /** Starts the generators, which begin to connect at once. */
  constructor(starters: readonly StartGenerator[], options: CrewOptions) {
    const { groups, fromNs, onSecond, onInterval } = options;
    this.#onInterval = onInterval;
    this.#seconds = new Seconds(groups * starters.length, (figures) => onSecond?.(figures));
    this.#tallies = Array.from({ length: groups }, () => [new Tally(fromNs, starters.length)]);
    this.#members = starters.map((start, index) => ({
      thread: start({
        onReport: (report) => this.#onReport(index, report),
        onCrash: (error) => {
          this.#connected.reject(error);
          this.#done.reject(error);
        },
      }),
      opened: 0,
      failed: 0,
      isConnected: false,
      span: undefined,
      endedNs: undefined,
      errors: {},
      open: [],
    }));
  }

  /** Every connection that is due at the start has opened or failed. */
  get connected(): Promise<void> {
    return this.#connected.promise;
  }

  /** Every generator has finished. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  get groupCount(): number {
    return this.#tallies.length;
  }

  /** The tally of a step so far; step -1 is the time before the timeline. */
  tally(group: number, step: number): Tally {
    const tally = this.#tallies[group]?.[step + 1];
    if (tally === undefined) {
      throw new RangeError(`there is no step ${step} of group ${group}`);
    }
    return tally;
  }

  /** Of a group: the time before the timeline, and all steps so far. */
  tallies(group: number): readonly Tally[] {
    return this.#tallies[group] ?? [];
  }

  /** The generators' figures in a step; undefined before its end. */
  stepTally(step: number): StepTally | undefined {
    return this.#steps[step];
  }

  /** The sum of all steps from one on; undefined where none is over. */
  stepTallies(first: number): StepTally | undefined {
    return this.#steps.slice(first).reduce<StepTally | undefined>(addSteps, undefined);
  }

  /** Connections that opened before the timeline, and those that failed to. */
  get opened(): number {
    return this.#sum((member) => member.opened);
  }

  get failed(): number {
    return this.#sum((member) => member.failed);
  }

  /** When the first connection was due and when the last one opened, before the timeline. */
  get connectSpan(): Span | undefined {
    const spans = this.#members.map(({ span }) => span).filter((span) => span !== undefined);
    return spans.length === 0
      ? undefined
      : {
          fromNs: Math.min(...spans.map(({ fromNs }) => fromNs)),
          untilNs: Math.max(...spans.map(({ untilNs }) => untilNs)),
        };
  }

  /** The last complete second of all groups together. */
  get latest(): SecondFigures | undefined {
    return this.#seconds.latest;
  }

  /** When the last generator's timeline ended. */
  get endedNs(): number {
    return Math.max(...this.#members.map((member) => member.endedNs ?? 0));
  }

  /** All errors by kind, each with its first message. */
  get errors(): ErrorTally {
    const sum: Record<string, { count: number; detail: string }> = {};
    for (const [kind, { count, detail }] of this.#members.flatMap(({ errors }) => Object.entries(errors))) {
      sum[kind] = { count: (sum[kind]?.count ?? 0) + count, detail: sum[kind]?.detail ?? detail };
    }
    return sum;
  }

  /** Starts the timeline at `startNs`, with steps of these durations. */
  begin(startNs: number, stepsMs: readonly number[]): void {
    for (const { fromNs } of spansFrom(startNs, stepsMs)) {
      for (const tallies of this.#tallies) {
        tallies.push(new Tally(fromNs, this.#members.length));
      }
    }
    for (const { thread } of this.#members) {
      thread.send({ kind: "begin", startNs });
    }
  }

  /** Ends the load now, but waits for replies in flight. */
  stop(): void {
    this.#isStopped = true;
    for (const { thread } of this.#members) {
      thread.send({ kind: "stop" });
    }
  }

  async terminate(): Promise<void> {
    await Promise.all(this.#members.map(({ thread }) => thread.terminate()));
    this.#seconds.destroy();
    for (const tally of this.#tallies.flat()) {
      tally.destroy();
    }
  }

  #onReport(index: number, report: Report): void {
    const member = this.#members[index];
    if (member === undefined) {
      return;
    }
    switch (report.kind) {
      case "connecting":
        member.opened = report.opened;
        break;
      case "connected":
        Object.assign(member, { ...report, isConnected: true });
        break;
      case "interval":
        member.errors = report.errors;
        member.open[report.group] = report.openConnections;
        this.tally(report.group, report.step).add(index, report);
        this.#seconds.add(report);
        this.#onInterval?.(index, report);
        break;
      case "step":
        this.#steps[report.step] = addSteps(this.#steps[report.step], report);
        break;
      case "done":
        Object.assign(member, report);
        break;
    }
    if (this.#members.every(({ isConnected }) => isConnected)) {
      this.#connected.resolve();
    }
    if (this.#members.every(({ endedNs }) => endedNs !== undefined)) {
      this.#done.resolve();
    } else {
      this.#endWithoutConnections();
    }
  }

  /** A generator that has lost every connection ends by itself; those that never had one end with it. */
  #endWithoutConnections(): void {
    const left = this.#members.filter(({ endedNs }) => endedNs === undefined);
    const isOver = left.every(({ open }) => open.every((connections) => connections === 0));
    if (left.length < this.#members.length && isOver && !this.#isStopped) {
      this.stop();
    }
  }

  #sum(read: (member: Member) => number): number {
    return this.#members.reduce((total, member) => total + read(member), 0);
  }
}

function addSteps(sum: StepTally | undefined, { hiccups, groups }: StepTally): StepTally {
  return sum === undefined
    ? { hiccups, groups }
    : {
        hiccups: worstOf(sum.hiccups, hiccups),
        groups: sum.groups.map((group, number) => {
          const { wire, dispersion } = groups[number] ?? group;
          return {
            wire: { sent: group.wire.sent + wire.sent, received: group.wire.received + wire.received },
            dispersion: largest([group.dispersion, dispersion]),
          };
        }),
      };
}

function worstOf(a: Hiccups | undefined, b: Hiccups | undefined): Hiccups | undefined {
  return a === undefined || b === undefined
    ? (a ?? b)
    : {
        p50Ns: Math.max(a.p50Ns, b.p50Ns),
        p99Ns: Math.max(a.p99Ns, b.p99Ns),
        maxNs: Math.max(a.maxNs, b.maxNs),
      };
}

function largest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
