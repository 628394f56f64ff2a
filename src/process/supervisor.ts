// --workers N: forks processes that share the port, replaces those that die or hang, and sums their counters. It
// answers scrapes itself, so that a busy worker cannot delay them.
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/options.ts";
import { isTlsRelayed } from "../config/tls.ts";
import { createAdmin } from "../http/admin.ts";
import { createReply } from "../http/reply.ts";
import { UwsEchoError } from "../lib/errors.ts";
import { packageVersion } from "../lib/package.ts";
import { addEnded, addStats, bump, createStats, type Stats, slot } from "../metrics/counters.ts";
import { limitGauges } from "../metrics/limit-gauges.ts";
import { type ProcessSample, RuntimeMonitor } from "../metrics/process-sampler.ts";
import { createMetrics, type Scraper } from "../metrics/scrape.ts";
import { openAdmin } from "../server/admin-listener.ts";
import { claimPort } from "../server/listener.ts";
import { openSharedDescriptor } from "../server/shared-descriptor.ts";
import { servedUrls } from "../server/urls.ts";
import { droppedLogLines, type Log } from "../system/log.ts";
import { loadNative, type Native } from "../system/uws.ts";
import type { Order, Report } from "./messages.ts";
import { goodLifeMs, Place } from "./place.ts";
import type { Running } from "./running.ts";
import { shareOf } from "./shares.ts";

/** A worker could not start, or died repeatedly. */
class WorkersFailedError extends UwsEchoError<"ERR_WORKERS_FAILED"> {
  override readonly name = "WorkersFailedError";
  constructor(problem: string) {
    super("ERR_WORKERS_FAILED", problem);
  }
}

/** Early deaths in a row after which the server gives up, unless another worker serves. */
const maxEarlyDeaths = 5;
/** Time after the drain before a worker is killed, in milliseconds. */
const killAfterMs = 5000;
/** Time before a worker is killed in a forced stop, in milliseconds. */
const killAfterForceMs = 1000;
/** Interval of checks of the workers, in milliseconds. */
const watchIntervalMs = 500;

/**
 * Starts the workers. Resolves once all of them serve.
 * @throws ListenError, NativeLoadError, WorkersFailedError
 */
export async function runSupervisor(config: Config, log: Log): Promise<Running> {
  const native = await loadNative();
  const claim = await claimPort(native, config);
  const supervisor = new Supervisor(native, { ...config, port: claim.port }, log);
  const build = { version: packageVersion(), nodeVersion: process.versions.node };
  const { scrape } = createMetrics(supervisor, limitGauges(config), build);
  supervisor.answerScrapes(scrape);
  const reply = createReply(supervisor.own);
  const endpoints = createAdmin({ reply, scrape, isReady: () => supervisor.isReady, log });
  const admin = await openAdmin(native, config, endpoints, { reply, stats: supervisor.own, log });
  try {
    await supervisor.start();
  } catch (error) {
    admin?.close();
    throw error;
  } finally {
    claim.release();
  }
  return {
    urls: servedUrls(config, claim.port, admin?.port),
    failure: supervisor.failure,
    async stop() {
      await supervisor.stop();
      admin?.close();
    },
    force: () => supervisor.force(),
    reload: () => supervisor.reload(),
  };
}

class Supervisor {
  readonly #native: Native;
  readonly #ticketKeys = randomBytes(48);
  readonly #config: Config;
  readonly #log: Log;
  readonly #places: readonly Place[];
  /** The counters of this process: responses of the admin listener. */
  readonly own = createStats();
  /** The counters of dead workers. */
  readonly #past = createStats();
  readonly #stopping = new AbortController();
  readonly runtime = new RuntimeMonitor();
  readonly failure: Promise<never>;
  #fail: (error: Error) => void = () => undefined;
  #scrape: Scraper | undefined;
  #watch: NodeJS.Timeout | undefined;
  #restarts = 0;
  #isStarted = false;

  constructor(native: Native, config: Config, log: Log) {
    this.#native = native;
    this.#config = config;
    this.#log = log;
    const share = shareOf(config, config.workers);
    this.#places = Array.from({ length: config.workers }, (_, i) => this.#createPlace(i + 1, share));
    this.failure = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.failure.catch(() => this.force());
  }

  /** Whether the server is ready: not while the kernel may assign connections to a worker that hangs. */
  get isReady(): boolean {
    return (
      !this.#stopping.signal.aborted &&
      this.#places.some((place) => place.isReady) &&
      !this.#places.some((place) => place.isSuspect)
    );
  }

  stats(): Stats {
    this.own[slot.logLinesDropped] = droppedLogLines();
    const sum = createStats();
    addStats(sum, this.own);
    addStats(sum, this.#past);
    for (const place of this.#places) {
      addStats(sum, place.stats);
    }
    sum[slot.workersReady] = this.#places.filter((place) => place.isReady).length;
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
    let lookedAt = performance.now();
    this.#watch = setInterval(() => {
      const now = performance.now();
      // After the whole machine or container was suspended, that time does not count against workers.
      const awakeMs = Math.min(now - lookedAt, 2 * watchIntervalMs);
      lookedAt = now;
      for (const place of this.#places) {
        place.watch(awakeMs);
      }
    }, watchIntervalMs).unref();
    // Waits for places, because a worker may die and be replaced before it is ready.
    const ready = new Promise<void>((resolve) => {
      this.#onReady = () => this.#places.every((place) => place.isReady) && resolve();
    });
    for (const place of this.#places) {
      place.launch();
    }
    await Promise.race([ready, this.failure]);
    this.#isStarted = true;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const { drainDelay, drainTimeout } = this.#config;
    this.#tellAll({ kind: "stop" });
    this.#killAfter(drainDelay + drainTimeout + killAfterMs);
    await Promise.all(this.#places.map((place) => place.ended()));
    clearInterval(this.#watch);
    this.runtime.stop();
  }

  force(): void {
    this.#stopping.abort();
    this.#tellAll({ kind: "stop" });
    this.#tellAll({ kind: "force" });
    this.#killAfter(killAfterForceMs);
  }

  reload(): void {
    this.#tellAll({ kind: "reload" });
  }

  #onReady: () => void = () => undefined;

  #createPlace(worker: number, config: Config): Place {
    const { host, port } = this.#config;
    const isRelayed = isTlsRelayed(config);
    return new Place({
      worker,
      config,
      ticketKeys: isRelayed ? this.#ticketKeys : undefined,
      openDescriptor: () => (isRelayed ? openSharedDescriptor(this.#native, host, port) : undefined),
      log: this.#log,
      onReady: () => this.#onReady(),
      onFailed: (problem) => {
        // At the start this is a configuration error; later it counts as a death, and the worker is restarted.
        if (!this.#isStarted) {
          this.#fail(new WorkersFailedError(`worker ${worker} cannot serve: ${problem}`));
        }
      },
      onScrape: (place, report) => this.#answer(place, report),
      onHang: () => bump(this.own, slot.workerHangs),
      onDeath: (place) => this.#mourn(place, worker),
    });
  }

  #answer(place: Place, { id, request }: Extract<Report, { kind: "scrape" }>): void {
    this.#scrape?.(request).then(
      (scrape) => place.tell({ kind: "scraped", id, scrape }),
      (error: unknown) => place.tell({ kind: "scraped", id, problem: String(error) }),
    );
  }

  #mourn(place: Place, worker: number): void {
    addEnded(this.#past, place.stats);
    if (this.#stopping.signal.aborted) {
      return;
    }
    // A certificate in the middle of a renewal must not end the connections of other workers.
    if (place.earlyDeaths >= maxEarlyDeaths && !this.#places.some((other) => other.isHealthy)) {
      this.#fail(
        new WorkersFailedError(
          `worker ${worker} died ${maxEarlyDeaths} times in a row within ${goodLifeMs / 1000} s of its start`,
        ),
      );
      return;
    }
    void this.#replace(place);
  }

  async #replace(place: Place): Promise<void> {
    const { signal } = this.#stopping;
    await sleep(place.backoffMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) {
      return;
    }
    this.#restarts++;
    place.launch();
  }

  #tellAll(order: Order): void {
    for (const place of this.#places) {
      place.tell(order);
    }
  }

  #killAfter(delayMs: number): void {
    setTimeout(() => {
      for (const place of this.#places) {
        place.kill();
      }
    }, delayMs).unref();
  }
}
