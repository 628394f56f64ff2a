// --workers N: forks processes that share the port, replaces those that die, and sums what they count. It answers
// scrapes itself, so that a busy worker cannot delay them.

import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/options.ts";
import { isTlsRelayed } from "../config/tls.ts";
import { createAdmin } from "../http/admin.ts";
import { createReply } from "../http/reply.ts";
import { UwsEchoError } from "../lib/errors.ts";
import { packageVersion } from "../lib/package.ts";
import { addCounters, addStats, createStats, type Stats, slot } from "../metrics/counters.ts";
import { limitGauges } from "../metrics/limit-gauges.ts";
import { type ProcessSample, RuntimeMonitor } from "../metrics/process-sampler.ts";
import { createMetrics, type ScrapeRequest, type Scraper } from "../metrics/scrape.ts";
import { openAdmin } from "../server/admin-listener.ts";
import { reservePort } from "../server/listener.ts";
import { openSharedDescriptor } from "../server/shared-descriptor.ts";
import { servedUrls } from "../server/urls.ts";
import { droppedLogLines, type Log } from "../system/log.ts";
import { loadNative, type Native } from "../system/uws.ts";
import type { Order, Report } from "./messages.ts";
import type { Running } from "./running.ts";
import { shareOf } from "./shares.ts";

/** A worker could not start to serve, or died again and again. */
export class WorkersFailedError extends UwsEchoError<"ERR_WORKERS_FAILED"> {
  override readonly name = "WorkersFailedError";
  constructor(problem: string) {
    super("ERR_WORKERS_FAILED", problem);
  }
}

/** A worker that lives this long has not died of its start, in milliseconds. */
const goodLifeMs = 10_000;
const maxEarlyDeaths = 5;
const firstBackoffMs = 100;
/** Time beyond the drain that a worker gets before it is killed, in milliseconds. */
const killAfterMs = 5000;

/**
 * Starts the workers, and resolves once all of them serve.
 * @throws ListenError, NativeLoadError, WorkersFailedError
 */
export async function runSupervisor(config: Config, log: Log): Promise<Running> {
  const native = await loadNative();
  const port =
    config.reusePort && config.port !== 0 ? config.port : await reservePort(native, config.host, config.port);
  const supervisor = new Supervisor(native, { ...config, port }, log);
  const build = { version: packageVersion(), nodeVersion: process.versions.node };
  const { scrape } = createMetrics(supervisor, limitGauges(config), build);
  supervisor.answerScrapes(scrape);
  const reply = createReply(supervisor.own);
  const endpoints = createAdmin({ reply, scrape, isReady: () => supervisor.isReady, log });
  const admin = await openAdmin(native, config, endpoints, reply);
  try {
    await supervisor.start();
  } catch (error) {
    admin?.close();
    throw error;
  }
  return {
    urls: servedUrls(config, port, admin?.port),
    failure: supervisor.failure,
    async stop() {
      await supervisor.stop();
      admin?.close();
    },
    force: () => supervisor.force(),
    reload: () => supervisor.reload(),
  };
}

/** One place in the team; the process in it may change. */
interface Place {
  readonly worker: number;
  child: ChildProcess | undefined;
  isReady: boolean;
  stats: Stats;
  sample: ProcessSample | undefined;
  earlyDeaths: number;
  startedAt: number;
  /** Called when a worker in this place serves. */
  onReady: () => void;
}

class Supervisor {
  readonly #native: Native;
  readonly #config: Config;
  readonly #ticketKeys = randomBytes(48);
  readonly #log: Log;
  readonly #places: readonly Place[];
  /** What this process itself counts: answers of the admin listener. */
  readonly own = createStats();
  /** What workers that have died had counted. */
  readonly #past = createStats();
  readonly #stopping = new AbortController();
  readonly runtime = new RuntimeMonitor();
  readonly failure: Promise<never>;
  #fail: (error: Error) => void = () => undefined;
  #scrape: Scraper | undefined;
  #restarts = 0;
  #isStarted = false;

  constructor(native: Native, config: Config, log: Log) {
    this.#native = native;
    this.#config = config;
    this.#log = log;
    this.#places = Array.from({ length: config.workers }, (_, i) => ({
      worker: i + 1,
      child: undefined,
      isReady: false,
      stats: createStats(),
      sample: undefined,
      earlyDeaths: 0,
      startedAt: 0,
      onReady: () => undefined,
    }));
    this.failure = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.failure.catch(() => this.force());
  }

  get isReady(): boolean {
    return !this.#stopping.signal.aborted && this.#places.some((place) => place.isReady);
  }

  stats(): Stats {
    this.own[slot.logLinesDropped] = droppedLogLines();
    const sum = createStats();
    addStats(sum, this.own);
    addStats(sum, this.#past);
    for (const place of this.#places) {
      addStats(sum, place.stats);
    }
    return sum;
  }

  samples(): readonly ProcessSample[] {
    return this.#places.flatMap((place) => place.sample ?? []);
  }

  workerRestarts(): number {
    return this.#restarts;
  }

  answerScrapes(scrape: Scraper): void {
    this.#scrape = scrape;
  }

  async start(): Promise<void> {
    // A worker may die and be replaced before it is ready, so it is the places that are waited for.
    const ready = this.#places.map(
      (place) =>
        new Promise<void>((resolve) => {
          place.onReady = resolve;
        }),
    );
    for (const place of this.#places) {
      this.#launch(place);
    }
    await Promise.race([Promise.all(ready), this.failure]);
    this.#isStarted = true;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const { drainDelay, drainTimeout } = this.#config;
    this.#tellAll({ kind: "stop" });
    const kill = setTimeout(
      () => {
        for (const place of this.#places) {
          place.child?.kill("SIGKILL");
        }
      },
      drainDelay + drainTimeout + killAfterMs,
    );
    await Promise.all(this.#places.map(({ child }) => child && exited(child)));
    clearTimeout(kill);
  }

  force(): void {
    this.#stopping.abort();
    this.#tellAll({ kind: "stop" });
    this.#tellAll({ kind: "force" });
  }

  reload(): void {
    this.#tellAll({ kind: "reload" });
  }

  #launch(place: Place): void {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const { host, port } = this.#config;
    const shared = isTlsRelayed(this.#config) ? openSharedDescriptor(this.#native, host, port) : undefined;
    const child = fork(new URL(`worker.${extension}`, import.meta.url), {
      serialization: "advanced",
      ...(shared && { stdio: ["inherit", "inherit", "inherit", "ipc", shared.fd] }),
    });
    shared?.close();
    place.child = child;
    place.startedAt = performance.now();
    const inherited = {
      // The place that it has in `stdio`.
      descriptor: shared === undefined ? undefined : 4,
      ticketKeys: shared === undefined ? undefined : this.#ticketKeys,
    };
    const config = shareOf(this.#config, this.#places.length);
    send(child, { kind: "start", config, worker: place.worker, inherited });
    child.on("message", (report: Report) => this.#receive(place, child, report));
    child.once("exit", (code, signal) => this.#bury(place, code, signal));
  }

  #receive(place: Place, child: ChildProcess, report: Report): void {
    switch (report.kind) {
      case "ready":
        place.isReady = true;
        place.onReady();
        this.#log.info({ worker: place.worker, pid: child.pid }, "worker ready");
        return;
      case "failed":
        // At the start this is the operator's mistake; later it counts as a death, and is tried again.
        this.#log.error({ worker: place.worker, problem: report.problem }, "worker cannot serve");
        if (!this.#isStarted) {
          this.#fail(new WorkersFailedError(`worker ${place.worker} cannot serve: ${report.problem}`));
        }
        return;
      case "stats":
        place.stats = report.stats;
        place.sample = report.sample;
        return;
      case "scrape":
        this.#answer(child, report.id, report.request);
    }
  }

  #answer(child: ChildProcess, id: number, request: ScrapeRequest): void {
    this.#scrape?.(request).then(
      (scrape) => send(child, { kind: "scraped", id, scrape }),
      (error: unknown) => send(child, { kind: "scraped", id, problem: String(error) }),
    );
  }

  #bury(place: Place, code: number | null, signal: NodeJS.Signals | null): void {
    addCounters(this.#past, place.stats);
    place.stats = createStats();
    place.sample = undefined;
    place.child = undefined;
    place.isReady = false;
    if (this.#stopping.signal.aborted) {
      return;
    }
    const lifeMs = performance.now() - place.startedAt;
    place.earlyDeaths = lifeMs < goodLifeMs ? place.earlyDeaths + 1 : 1;
    this.#log.error({ worker: place.worker, code, signal, lifeMs: Math.round(lifeMs) }, "worker died");
    if (place.earlyDeaths >= maxEarlyDeaths) {
      this.#fail(
        new WorkersFailedError(
          `worker ${place.worker} died ${maxEarlyDeaths} times in a row within ${goodLifeMs / 1000} s of its start`,
        ),
      );
      return;
    }
    void this.#replace(place);
  }

  async #replace(place: Place): Promise<void> {
    const backoffMs = firstBackoffMs * 2 ** (place.earlyDeaths - 1);
    const { signal } = this.#stopping;
    await sleep(backoffMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) {
      return;
    }
    this.#restarts++;
    this.#launch(place);
  }

  #tellAll(order: Order): void {
    for (const { child } of this.#places) {
      if (child !== undefined) {
        send(child, order);
      }
    }
  }
}

function send(child: ChildProcess, order: Order): void {
  // A worker may die at any time; its exit is handled where it is reported.
  if (child.connected) {
    child.send(order, () => undefined);
  }
}

function exited(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
    } else {
      child.once("exit", () => resolve());
    }
  });
}
