// One worker place of the supervisor: starts a process, receives its reports, and detects when it dies or hangs.
import { type ChildProcess, fork } from "node:child_process";
import type { Config } from "../config/options.ts";
import { packageRoot } from "../lib/package.ts";
import { createStats, type Stats } from "../metrics/counters.ts";
import type { ProcessSample } from "../metrics/process-sampler.ts";
import type { SharedDescriptor } from "../server/shared-descriptor.ts";
import type { Log } from "../system/log.ts";
import type { Order, Report } from "./messages.ts";

/** A worker that ends earlier than this after its start has died early, in milliseconds. */
export const goodLifeMs = 10_000;
/** Silence after which a worker counts as not ready, in milliseconds; it reports four times a second. */
const suspectAfterMs = 2000;
/** How many times longer than `--worker-timeout` a start may take. */
const startFactor = 3;
/** Next to this file in the sources; the build may bundle it into another folder. */
const workerProgram = import.meta.url.endsWith(".ts")
  ? new URL("worker.ts", import.meta.url)
  : new URL("dist/src/process/worker.js", packageRoot);
const firstBackoffMs = 100;
const maxBackoffMs = 30_000;

export interface PlaceParts {
  /** From 1. */
  readonly worker: number;
  /** The configuration of the process, with its share of the limits. */
  readonly config: Config;
  readonly log: Log;
  /** Keys of TLS session tickets, shared by all workers. */
  readonly ticketKeys: Buffer | undefined;
  /** Opens a listening socket for the process to inherit, if it needs one. */
  openDescriptor(): SharedDescriptor | undefined;
  onReady(place: Place): void;
  /** A worker reports that it cannot serve. */
  onFailed(problem: string): void;
  onScrape(place: Place, report: Extract<Report, { kind: "scrape" }>): void;
  /** The process has ended, or could not be started. `stats` has its last counters until this returns. */
  onDeath(place: Place): void;
  /** The process was silent for too long and is being killed. */
  onHang(place: Place): void;
}

/** One place, whose process may be replaced. */
export class Place {
  readonly #parts: PlaceParts;
  #child: ChildProcess | undefined;
  #isReady = false;
  #isSuspect = false;
  /** The supervisor has ordered the process to end. */
  #isStopping = false;
  #stats = createStats();
  #sample: ProcessSample | undefined;
  #earlyDeaths = 0;
  #startedAt = 0;
  /** Time without a report, not counting time in which this process was suspended. */
  #silentMs = 0;

  constructor(parts: PlaceParts) {
    this.#parts = parts;
  }

  /** The last report of its process. */
  get stats(): Stats {
    return this.#stats;
  }

  get sample(): ProcessSample | undefined {
    return this.#sample;
  }

  /** Its process serves and reports. */
  get isReady(): boolean {
    return this.#isReady && !this.#isSuspect;
  }

  /** Its process listens but does not report: its clients get no response. */
  get isSuspect(): boolean {
    return this.#isSuspect;
  }

  /** Its process serves, and is not a recent restart after an early death. */
  get isHealthy(): boolean {
    return this.isReady && (this.#earlyDeaths === 0 || performance.now() - this.#startedAt >= goodLifeMs);
  }

  /** Deaths in a row within `goodLifeMs` of a start. */
  get earlyDeaths(): number {
    return this.#earlyDeaths;
  }

  /** Pause before the next start, in milliseconds: doubles with each early death. */
  get backoffMs(): number {
    return Math.min(maxBackoffMs, firstBackoffMs * 2 ** (this.#earlyDeaths - 1));
  }

  launch(): void {
    this.#startedAt = performance.now();
    this.#silentMs = 0;
    const { worker, config, ticketKeys, openDescriptor } = this.#parts;
    let child: ChildProcess;
    let shared: SharedDescriptor | undefined;
    try {
      shared = openDescriptor();
      child = fork(workerProgram, {
        serialization: "advanced",
        ...(shared && { stdio: ["inherit", "inherit", "inherit", "ipc", shared.fd] }),
      });
    } catch (error) {
      setImmediate(() => this.#died({ err: error }));
      return;
    } finally {
      shared?.close();
    }
    this.#child = child;
    child.on("message", (report: Report) => this.#hear(report));
    // Emitted instead of an exit if no descriptor or process is left to start one.
    child.on("error", (error) => {
      if (child.pid === undefined) {
        this.#bury(child, { err: error });
      }
    });
    // Not "exit", which may precede the last report.
    child.once("close", (code, signal) =>
      this.#bury(child, { code, signal }, code === 0 && this.#isStopping),
    );
    // The number of the descriptor is its index in `stdio`.
    const inherited = { descriptor: shared === undefined ? undefined : 4, ticketKeys };
    this.tell({ kind: "start", config, worker, inherited });
  }

  tell(order: Order): void {
    this.#isStopping ||= order.kind === "stop";
    // A worker may die at any time; "close" handles that.
    if (this.#child?.connected) {
      this.#child.send(order, () => undefined);
    }
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  /** Resolves once this place has no process. */
  async ended(): Promise<void> {
    const child = this.#child;
    if (child !== undefined) {
      await new Promise((resolve) => child.once("close", resolve));
    }
  }

  /**
   * Checks for reports.
   * @param awakeMs time since the last check, without time in which this process was suspended, in milliseconds
   */
  watch(awakeMs: number): void {
    const { worker, config, log } = this.#parts;
    const pid = this.#child?.pid;
    if (pid === undefined) {
      return;
    }
    this.#silentMs += awakeMs;
    const silentMs = Math.round(this.#silentMs);
    const timeoutMs = config.workerTimeout * (this.#isReady ? 1 : startFactor);
    if (timeoutMs > 0 && silentMs >= timeoutMs) {
      log.error(
        { worker, pid, silentMs },
        this.#isReady ? "worker does not respond: killing it" : "worker does not start: killing it",
      );
      this.#silentMs = 0;
      this.#parts.onHang(this);
      this.kill();
    } else if (this.#isReady && !this.#isSuspect && silentMs >= suspectAfterMs) {
      this.#isSuspect = true;
      log.warn({ worker, pid, silentMs }, "worker does not respond");
    }
  }

  #hear(report: Report): void {
    const { worker, log } = this.#parts;
    this.#silentMs = 0;
    if (this.#isSuspect) {
      this.#isSuspect = false;
      log.info({ worker, pid: this.#child?.pid }, "worker responds again");
    }
    switch (report.kind) {
      case "ready":
        this.#isReady = true;
        log.info({ worker, pid: this.#child?.pid }, "worker ready");
        this.#parts.onReady(this);
        return;
      case "failed":
        log.error({ worker, problem: report.problem }, "worker failed to start");
        this.#parts.onFailed(report.problem);
        return;
      case "stats":
        this.#stats = report.stats;
        this.#sample = report.sample;
        return;
      case "scrape":
        this.#parts.onScrape(this, report);
    }
  }

  #bury(child: ChildProcess, cause: object, isOrdered = false): void {
    // A process that could not be started may also emit "close".
    if (this.#child === child) {
      this.#died(cause, isOrdered);
    }
  }

  #died(cause: object, isOrdered = false): void {
    const lifeMs = performance.now() - this.#startedAt;
    this.#child = undefined;
    this.#isReady = false;
    this.#isSuspect = false;
    this.#earlyDeaths = lifeMs < goodLifeMs ? this.#earlyDeaths + 1 : 1;
    const { worker, log } = this.#parts;
    if (isOrdered) {
      log.info({ worker }, "worker stopped");
    } else {
      log.error({ worker, ...cause, lifeMs: Math.round(lifeMs) }, "worker died");
    }
    this.#parts.onDeath(this);
    this.#stats = createStats();
    this.#sample = undefined;
  }
}
