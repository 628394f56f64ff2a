// Serves the counters of a running load as Prometheus metrics.

import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from "hdr-histogram-js";
import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from "prom-client";
import { BulkHistogram, type Distribution } from "../../src/lib/bulk-histogram.ts";
import { UwsEchoError } from "../../src/lib/errors.ts";
import { addEncoded, createHistogram } from "../load/histogram.ts";
import { addCounters, type CounterName, type DistributionName, zeroCounters } from "../load/metrics.ts";
import type { ErrorTally, IntervalReport } from "../load/plan.ts";
import { sparseOf } from "../result/bootstrap.ts";

/** The page cannot be served; the message says why. */
export class MetricsPageError extends UwsEchoError<"ERR_METRICS_PAGE"> {
  override readonly name = "MetricsPageError";
  constructor(problem: string, options?: ErrorOptions) {
    super("ERR_METRICS_PAGE", problem, options);
  }
}

export interface MetricsAddress {
  readonly host: string;
  /** 0 for a free port. */
  readonly port: number;
}

const prefix = "uws_echo_bench_";

/** Names and help texts of the exported counters. */
const shownCounters: readonly (readonly [counter: CounterName, name: string, help: string])[] = [
  ["sent", "messages_sent_total", "Messages sent."],
  ["unsent", "messages_unsent_total", "Messages that were due and that the target did not take in time."],
  ["answered", "messages_answered_total", "Messages whose reply came in time."],
  [
    "lost",
    "messages_lost_total",
    "Messages without a reply within the time-out, or on a connection that ended.",
  ],
  ["corrupt", "messages_corrupt_total", "Messages whose reply was not what was sent."],
  ["received", "messages_received_total", "Messages that arrived."],
  ["receivedBytes", "received_bytes_total", "Payload bytes that arrived."],
  ["begun", "connections_begun_total", "Attempts to connect."],
  ["opened", "connections_opened_total", "Connections that opened."],
  ["failed", "connections_failed_total", "Connections that could not be opened."],
  ["closed", "connections_closed_total", "Connections that the target ended unexpectedly."],
];

const shownTimes: readonly (readonly [times: DistributionName, name: string, help: string])[] = [
  ["latency", "latency_seconds", "Time from the moment a message was due to its reply."],
  ["lag", "lag_seconds", "How late the generator sent: its own fault, not the target's."],
  ["open", "connect_seconds", "Time from the moment a connection was due to the end of its handshake."],
  ["ping", "ping_seconds", "Time from a ping to its pong."],
];

/** 1, 2, 5 in each decade from 10 us to 10 s, in seconds. */
const boundsSeconds = [-5, -4, -3, -2, -1, 0, 1].flatMap((exponent) =>
  (exponent === 1 ? [1] : [1, 2, 5]).map((digit) => Number(`${digit}e${exponent}`)),
);

/** Totals of a group over all generators. */
class GroupSum {
  readonly counters = zeroCounters();
  readonly times = new Map<DistributionName, Histogram>();
  /** Open connections by generator. */
  readonly open: number[] = [];

  add(thread: number, { interval, openConnections }: IntervalReport): void {
    addCounters(this.counters, interval.counters);
    this.open[thread] = openConnections;
    for (const [name] of shownTimes) {
      const recorded = interval.distributions[name];
      if (recorded !== undefined) {
        const sum = this.times.get(name) ?? createHistogram(64);
        this.times.set(name, sum);
        addEncoded(sum, recorded.encoded);
      }
    }
  }
}

/** The metrics page, updated by the generators' reports. */
export class MetricsPage {
  readonly #groups: ReadonlyMap<string, GroupSum>;
  readonly #errors: ErrorTally[] = [];
  readonly #registry = new Registry();
  #server: Server | undefined;
  #isReady = false;

  /** @param groups group names, by their number in reports */
  constructor(groups: readonly string[]) {
    this.#groups = new Map(groups.map((name) => [name, new GroupSum()]));
    collectDefaultMetrics({ register: this.#registry });
    this.#defineCounters();
    this.#defineGauges();
    this.#defineTimes();
  }

  /** Adds a report of generator number `thread`. */
  add(thread: number, report: IntervalReport): void {
    this.#errors[thread] = report.errors;
    [...this.#groups.values()][report.group]?.add(thread, report);
  }

  /** All connections are open. */
  setReady(): void {
    this.#isReady = true;
  }

  /**
   * Serves the page at /metrics, and whether all connections are open at /readyz. It does not keep the process alive.
   * @returns its URL
   * @throws MetricsPageError if it cannot listen on the port
   */
  async listen({ host, port }: MetricsAddress): Promise<string> {
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://page");
      if (pathname === "/metrics") {
        void this.#answer(response);
      } else if (pathname === "/readyz") {
        const [status, word] = this.#isReady ? [200, "ready"] : [503, "connecting"];
        response.writeHead(status, { "content-type": "text/plain" }).end(`${word}\n`);
      } else {
        response.writeHead(404, { "content-type": "text/plain" }).end("see /metrics\n");
      }
    });
    this.#server = server;
    server.unref();
    try {
      await once(server.listen(port, host), "listening");
    } catch (error) {
      const { code = "unknown error" } = error as NodeJS.ErrnoException;
      throw new MetricsPageError(`--metrics-port: cannot listen on ${host}:${port} (${code})`, {
        cause: error,
      });
    }
    const address = server.address() as AddressInfo;
    return `http://${host.includes(":") ? `[${host}]` : host}:${address.port}/metrics`;
  }

  /** Ends the server and frees the histograms. */
  close(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#registry.clear();
    for (const { times } of this.#groups.values()) {
      for (const histogram of times.values()) {
        histogram.destroy();
      }
    }
  }

  async #answer(response: ServerResponse): Promise<void> {
    const page = await this.#registry.metrics();
    response.writeHead(200, { "content-type": this.#registry.contentType }).end(page);
  }

  #defineCounters(): void {
    const groups = this.#groups;
    const errors = this.#errors;
    for (const [counter, name, help] of shownCounters) {
      new Counter({
        name: `${prefix}${name}`,
        help,
        labelNames: ["group"],
        registers: [this.#registry],
        collect() {
          this.reset();
          for (const [group, { counters }] of groups) {
            this.inc({ group }, counters[counter]);
          }
        },
      });
    }
    new Counter({
      name: `${prefix}errors_total`,
      help: "Errors by kind.",
      labelNames: ["kind"],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [kind, { count }] of errors.flatMap((tally) => Object.entries(tally))) {
          this.inc({ kind }, count);
        }
      },
    });
  }

  #defineGauges(): void {
    const groups = this.#groups;
    new Gauge({
      name: `${prefix}connections`,
      help: "Open connections.",
      labelNames: ["group"],
      registers: [this.#registry],
      collect() {
        for (const [group, { open }] of groups) {
          this.set(
            { group },
            open.reduce((sum, count) => sum + count, 0),
          );
        }
      },
    });
  }

  #defineTimes(): void {
    for (const [times, name, help] of shownTimes) {
      const read = () =>
        [...this.#groups].map(([group, sum]) => [{ group }, distributionOf(sum.times.get(times))] as const);
      const histogram = new BulkHistogram(`${prefix}${name}`, help, read);
      this.#registry.registerMetric(histogram as unknown as Metric);
    }
  }
}

/** Converts a histogram in nanoseconds to the page's buckets. */
function distributionOf(histogram: Histogram | undefined): Distribution {
  const counts = Array.from({ length: boundsSeconds.length + 1 }, () => 0);
  let sum = 0;
  if (histogram !== undefined) {
    const { values, counts: perValue } = sparseOf(
      decodeFromCompressedBase64(encodeIntoCompressedBase64(histogram), 64),
    );
    values.forEach((valueNs, i) => {
      const count = perValue[i] ?? 0;
      const seconds = valueNs / 1e9;
      const bucket = boundsSeconds.findIndex((bound) => seconds <= bound);
      const at = bucket < 0 ? boundsSeconds.length : bucket;
      counts[at] = (counts[at] ?? 0) + count;
      sum += seconds * count;
    });
  }
  return { bounds: boundsSeconds, counts, sum };
}
