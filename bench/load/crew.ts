// Runs several generators as one: starts their threads, sends them commands, adds up their reports.

import type { WireBytes } from "../engine/connection.ts";
import { ConnectTally } from "./connects.ts";
import { Deferred } from "./deferred.ts";
import type { ErrorTally, Hiccups, Report } from "./plan.ts";
import type { Window } from "./recorder.ts";
import { Tally } from "./tally.ts";
import type { GeneratorThread, StartGenerator } from "./threads.ts";

/** What one generator has said last. */
interface Member {
  readonly thread: GeneratorThread;
  opened: number;
  failed: number;
  closedEarly: number;
  openConnections: number;
  isConnected: boolean;
  /** End of its window; undefined until it is done. */
  endedNs: number | undefined;
  errors: ErrorTally;
  wire: WireBytes | undefined;
  dispersion: number | undefined;
  hiccups: Hiccups | undefined;
}

export class Crew {
  readonly #members: Member[];
  readonly #connected = new Deferred();
  readonly #done = new Deferred();
  #tally = new Tally(0, 1);
  #connects: ConnectTally | undefined;

  /** Starts the generators, which begin to connect at once. */
  constructor(starters: readonly StartGenerator[]) {
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
      closedEarly: 0,
      openConnections: 0,
      isConnected: false,
      endedNs: undefined,
      errors: {},
      wire: undefined,
      dispersion: undefined,
      hiccups: undefined,
    }));
  }

  /** Every connection has opened or failed. */
  get connected(): Promise<void> {
    return this.#connected.promise;
  }

  /** Every generator has finished. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** What came in since `begin`. */
  get tally(): Tally {
    return this.#tally;
  }

  get opened(): number {
    return this.#sum((member) => member.opened);
  }

  get failed(): number {
    return this.#sum((member) => member.failed);
  }

  get closedEarly(): number {
    return this.#sum((member) => member.closedEarly);
  }

  get openConnections(): number {
    return this.#sum((member) => member.openConnections);
  }

  /** How connections opened; undefined when nobody watched. Known at the end. */
  get connects(): ConnectTally | undefined {
    return this.#connects;
  }

  /** Bytes on all sockets in the window; undefined when they were not counted. */
  get wire(): WireBytes | undefined {
    const parts = this.#members.map(({ wire }) => wire).filter((wire) => wire !== undefined);
    return parts.length < this.#members.length
      ? undefined
      : parts.reduce((a, b) => ({ sent: a.sent + b.sent, received: a.received + b.received }));
  }

  /** Of the generator that sent least evenly. */
  get dispersion(): number | undefined {
    return largest(this.#members.map(({ dispersion }) => dispersion));
  }

  /** The worst of all generators. */
  get hiccups(): Hiccups | undefined {
    const all = this.#members.map(({ hiccups }) => hiccups);
    const [p50Ns, p99Ns, maxNs] = [
      largest(all.map((hiccups) => hiccups?.p50Ns)),
      largest(all.map((hiccups) => hiccups?.p99Ns)),
      largest(all.map((hiccups) => hiccups?.maxNs)),
    ];
    return p50Ns === undefined || p99Ns === undefined || maxNs === undefined
      ? undefined
      : { p50Ns, p99Ns, maxNs };
  }

  /** When the last generator's window ended. */
  get endedNs(): number {
    return Math.max(...this.#members.map((member) => member.endedNs ?? 0));
  }

  /** All errors by kind, each with what was said the first time. */
  get errors(): ErrorTally {
    const sum: Record<string, { count: number; detail: string }> = {};
    for (const [kind, { count, detail }] of this.#members.flatMap(({ errors }) => Object.entries(errors))) {
      sum[kind] = { count: (sum[kind]?.count ?? 0) + count, detail: sum[kind]?.detail ?? detail };
    }
    return sum;
  }

  begin(window: Window): void {
    this.#tally = new Tally(window.fromNs, this.#members.length);
    for (const { thread } of this.#members) {
      thread.send({ kind: "begin", window });
    }
  }

  /** Ends the load now; replies in flight are still waited for. */
  stop(): void {
    for (const { thread } of this.#members) {
      thread.send({ kind: "stop" });
    }
  }

  async terminate(): Promise<void> {
    await Promise.all(this.#members.map(({ thread }) => thread.terminate()));
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
        Object.assign(member, { ...report, isConnected: true, openConnections: report.opened });
        break;
      case "interval":
        this.#tally.add(index, report);
        member.errors = report.errors;
        member.openConnections = report.openConnections;
        break;
      case "done":
        Object.assign(member, report);
        if (report.connects !== undefined) {
          this.#connects ??= new ConnectTally();
          this.#connects.add(report.connects);
        }
        break;
    }
    if (this.#members.every(({ isConnected }) => isConnected)) {
      this.#connected.resolve();
    }
    if (this.#members.every(({ endedNs }) => endedNs !== undefined)) {
      this.#done.resolve();
    }
  }

  #sum(read: (member: Member) => number): number {
    return this.#members.reduce((total, member) => total + read(member), 0);
  }
}

function largest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
