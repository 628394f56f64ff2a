// Records how long connections took to open, stage by stage, and adds the generators up.

import type { Histogram } from "hdr-histogram-js";
import { Distribution, type Recorded } from "./distribution.ts";
import { addEncoded, createHistogram } from "./histogram.ts";

/**
 * `lag`: how late the generator began to connect. `tcp`, `tls`, `upgrade`: each from the end of the stage before.
 * `open`: from the moment it was due to the end of the handshake. `firstEcho`: from the first message to its reply.
 */
export const connectStages = ["lag", "tcp", "tls", "upgrade", "open", "firstEcho"] as const;
export type ConnectStage = (typeof connectStages)[number];

/** What a generator says about its connections; plain data. */
export interface ConnectReport {
  readonly stages: Readonly<Record<ConnectStage, Recorded>>;
  /** When the first connection was due and when the last one opened, on the shared clock. */
  readonly fromNs: number;
  readonly untilNs: number;
  /** Connections on which the target agreed to compression. */
  readonly compressed: number;
}

/** One connection that is on its way. */
interface Pending {
  readonly dueNs: number;
  /** End of the stage before. */
  markNs: number;
}

export class ConnectRecorder {
  readonly #stages = eachStage(() => new Distribution());
  readonly #pending = new Map<number, Pending>();
  #fromNs = Number.POSITIVE_INFINITY;
  #untilNs = 0;
  compressed = 0;

  began(index: number, dueNs: number, nowNs: number): void {
    this.#pending.set(index, { dueNs, markNs: nowNs });
    this.#fromNs = Math.min(this.#fromNs, dueNs);
    this.#stages.lag.record(nowNs - dueNs, 1);
  }

  reached(index: number, stage: "tcp" | "tls" | "upgrade", nowNs: number): void {
    const pending = this.#pending.get(index);
    if (pending === undefined) {
      return;
    }
    this.#stages[stage].record(nowNs - pending.markNs, 1);
    pending.markNs = nowNs;
    if (stage === "upgrade") {
      this.#stages.open.record(nowNs - pending.dueNs, 1);
      this.#untilNs = Math.max(this.#untilNs, nowNs);
      this.#pending.delete(index);
    }
  }

  failed(index: number): void {
    this.#pending.delete(index);
  }

  echoed(tookNs: number): void {
    this.#stages.firstEcho.record(tookNs, 1);
  }

  /** All of it; the recorder is of no use afterwards. */
  finish(): ConnectReport {
    const stages = eachStage((stage) => this.#stages[stage].takeAll());
    for (const stage of connectStages) {
      this.#stages[stage].destroy();
    }
    return { stages, fromNs: this.#fromNs, untilNs: this.#untilNs, compressed: this.compressed };
  }
}

/** The sum over all generators of one run. */
export class ConnectTally {
  readonly stages: Readonly<Record<ConnectStage, { histogram: Histogram; minNs: number; maxNs: number }>> =
    eachStage(() => ({ histogram: createHistogram(64), minNs: Number.POSITIVE_INFINITY, maxNs: 0 }));
  fromNs = Number.POSITIVE_INFINITY;
  untilNs = 0;
  compressed = 0;

  add(report: ConnectReport): void {
    for (const stage of connectStages) {
      const { encoded, minNs, maxNs } = report.stages[stage];
      const sum = this.stages[stage];
      addEncoded(sum.histogram, encoded);
      sum.minNs = Math.min(sum.minNs, minNs);
      sum.maxNs = Math.max(sum.maxNs, maxNs);
    }
    this.fromNs = Math.min(this.fromNs, report.fromNs);
    this.untilNs = Math.max(this.untilNs, report.untilNs);
    this.compressed += report.compressed;
  }
}

function eachStage<T>(make: (stage: ConnectStage) => T): Record<ConnectStage, T> {
  return {
    lag: make("lag"),
    tcp: make("tcp"),
    tls: make("tls"),
    upgrade: make("upgrade"),
    open: make("open"),
    firstEcho: make("firstEcho"),
  };
}
