// The HTTP load: runs autocannon as a generator, with the same window, seconds and figures as other runs.
//
// autocannon sends the requests and reads the responses; this file records when each was sent and answered, in
// nanoseconds. autocannon's own histogram has whole milliseconds, no warm-up and a wrong correction for coordinated
// omission. The loop is closed: the next request leaves when a response has arrived.

import autocannon from "autocannon";
import { endingOf } from "../engine/failure.ts";
import { type HttpLoad, probe } from "../engine/http-probe.ts";
import type { Clock } from "./clock.ts";
import { Ledger } from "./ledger.ts";
import type { ErrorTally, Report } from "./plan.ts";
import { spansFrom } from "./recorder.ts";
import type { GeneratorThread, StartGenerator } from "./threads.ts";
import type { Command } from "./worker.ts";

/** Connections refused in a row, per connection, after which the target counts as gone. */
const goneAfter = 10;
const tickMs = 100;
/** Duration for autocannon, which is stopped earlier; longer than any run. */
const foreverSeconds = 8 * 86_400;

/** Creates a generator for `measure` that puts this load on its target, over steps of these durations. */
export function httpGenerator(load: HttpLoad, stepsMs: readonly number[], clock: Clock): StartGenerator {
  return ({ onReport }) => new HttpGenerator(load, stepsMs, clock, onReport);
}

/** Send times of one connection's requests without a response, oldest first. */
type Outstanding = number[];

class HttpGenerator implements GeneratorThread {
  readonly #load: HttpLoad;
  readonly #stepsMs: readonly number[];
  readonly #clock: Clock;
  readonly #report: (report: Report) => void;
  /** Size of an echoed body; undefined without one, and then whole responses are counted. */
  readonly #payloadBytes: number | undefined;
  readonly #clients = new Map<autocannon.Client, Outstanding>();
  readonly #errors: Record<string, { count: number; detail: string }> = {};
  #ledger: Ledger | undefined;
  #tracker: autocannon.Tracker | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #ended: Promise<void> = Promise.resolve();
  #cpuMarkUs = 0;
  #drainUntilNs = Number.POSITIVE_INFINITY;
  #lastSentNs = 0;
  #refusedInRow = 0;
  #reconnects = 0;
  #timeouts = 0;
  #isDone = false;

  constructor(load: HttpLoad, stepsMs: readonly number[], clock: Clock, report: (report: Report) => void) {
    this.#load = load;
    this.#stepsMs = stepsMs;
    this.#payloadBytes = load.body === undefined ? undefined : Buffer.byteLength(load.body);
    this.#clock = clock;
    this.#report = report;
    void this.#probe();
  }

  send(command: Command): void {
    if (command.kind === "stop") {
      this.#stop(false);
    } else {
      this.#begin(command.startNs);
    }
  }

  async terminate(): Promise<void> {
    this.#isDone = true;
    clearInterval(this.#ticker);
    this.#tracker?.stop();
    for (const client of this.#clients.keys()) {
      client.destroy();
    }
    await this.#ended;
  }

  /** Sends one request before the load, to distinguish a wrong target from a failed measurement. */
  async #probe(): Promise<void> {
    const problem = await probe(this.#load);
    if (problem !== undefined) {
      this.#count(problem.kind, problem.detail);
    }
    const { connections } = this.#load;
    this.#report({
      kind: "connected",
      opened: problem === undefined ? connections : 0,
      failed: problem === undefined ? 0 : connections,
      span: undefined,
      errors: this.#errors,
    });
  }

  #begin(startNs: number): void {
    const ledger = new Ledger(false, this.#clock.nowNs(), (step, interval) => {
      const isStep = interval.phase === "step";
      const cpuUs = isStep ? processCpuUs() : this.#cpuMarkUs;
      this.#report({
        kind: "interval",
        group: 0,
        step,
        interval,
        cpuNs: isStep ? (cpuUs - this.#cpuMarkUs) * 1000 : undefined,
        openConnections: this.#clients.size,
        absentClients: 0,
        errors: this.#errors,
      });
      this.#cpuMarkUs = cpuUs;
    });
    ledger.begin(spansFrom(startNs, this.#stepsMs));
    this.#ledger = ledger;
    this.#clock.callAfterMs(Math.max(0, (startNs - this.#clock.nowNs()) / 1e6), () => {
      this.#cpuMarkUs = processCpuUs();
      this.#start(ledger);
    });
  }

  #start(ledger: Ledger): void {
    if (this.#isDone) {
      return;
    }
    const { url, method, headers, body, connections, pipelining, timeoutMs, verify } = this.#load;
    this.#ended = new Promise((resolve) => {
      this.#tracker = autocannon(
        {
          url,
          method,
          headers,
          ...(body === undefined ? {} : { body }),
          connections,
          pipelining,
          duration: foreverSeconds,
          timeout: Math.max(1, Math.ceil(timeoutMs / 1000)),
          sampleInt: tickMs,
          setupClient: (client) => this.#listen(client, ledger),
          ...(verify === "none" ? {} : { verifyBody: (reply: string) => this.#verify(reply, ledger) }),
        },
        () => resolve(),
      );
    });
    this.#ticker = setInterval(() => this.#tick(ledger), tickMs);
  }

  #listen(client: autocannon.Client, ledger: Ledger): void {
    const outstanding: Outstanding = [];
    this.#clients.set(client, outstanding);
    client.on("request", () => {
      // autocannon does not report when it replaces a connection, but then a full pipeline grows.
      if (outstanding.length >= this.#load.pipelining) {
        this.#reconnects += 1;
        this.#abandon(outstanding, ledger);
      }
      outstanding.push(this.#clock.nowNs());
    });
    client.on("response", (status, bytes) => this.#onResponse(outstanding, status, bytes, ledger));
    client.on("connError", (error) => {
      const isRefused = "code" in error && error.code === "ECONNREFUSED";
      if (isRefused) {
        outstanding.length = 0; // These were never sent.
      } else {
        this.#abandon(outstanding, ledger);
      }
      const { kind, detail } = endingOf(
        error,
        isRefused ? "connecting" : "open",
        new URL(this.#load.url).host,
      );
      this.#count(kind, detail);
      this.#refusedInRow += 1;
      if (this.#refusedInRow >= goneAfter * this.#load.connections) {
        this.#stop(true);
      }
    });
    client.on("timeout", () => {
      this.#timeouts += 1;
      this.#count("timeout", `no response within ${this.#load.timeoutMs} ms`);
    });
  }

  #onResponse(outstanding: Outstanding, status: number, bytes: number, ledger: Ledger): void {
    const sentNs = outstanding.shift();
    if (sentNs === undefined || this.#isDone) {
      return;
    }
    const nowNs = this.#clock.nowNs();
    this.#refusedInRow = 0;
    this.#lastSentNs = sentNs;
    ledger.sent(sentNs, 1);
    ledger.arrived(nowNs, 1, this.#payloadBytes ?? bytes);
    ledger.answered(sentNs, sentNs, nowNs, 1);
    if (status < 200 || status > 299) {
      this.#count(`status-${status}`, `the target answered ${status}`);
    }
  }

  /** Called by autocannon right after "response". Counts mismatches and always reports success to autocannon. */
  #verify(reply: string, ledger: Ledger): boolean {
    const { body = "", verify } = this.#load;
    if (verify === "full" ? reply !== body : reply.length !== body.length) {
      ledger.corrupt(this.#lastSentNs);
      this.#count("wrong-body", "a response did not return the request's body");
    }
    return true;
  }

  #abandon(outstanding: Outstanding, ledger: Ledger): void {
    for (const sentNs of outstanding) {
      ledger.sent(sentNs, 1);
      ledger.lost(sentNs, 1);
    }
    outstanding.length = 0;
  }

  /** Closes seconds in which nothing arrives, ends the window, and ends the drain when all its requests are settled. */
  #tick(ledger: Ledger): void {
    const nowNs = this.#clock.nowNs();
    ledger.roll(nowNs);
    if (nowNs < ledger.untilNs) {
      return;
    }
    if (this.#drainUntilNs === Number.POSITIVE_INFINITY) {
      this.#drainUntilNs = nowNs + this.#load.timeoutMs * 1e6;
    }
    const isSettled = [...this.#clients.values()].every(
      ([oldestNs]) => (oldestNs ?? nowNs) >= ledger.untilNs,
    );
    if (isSettled || nowNs >= this.#drainUntilNs) {
      this.#finish(ledger);
    }
  }

  #stop(isTargetGone: boolean): void {
    const ledger = this.#ledger;
    if (ledger === undefined || this.#isDone) {
      return;
    }
    ledger.cutShort(this.#clock.nowNs());
    if (isTargetGone) {
      this.#finish(ledger);
    }
  }

  #finish(ledger: Ledger): void {
    for (const outstanding of this.#clients.values()) {
      this.#abandon(outstanding, ledger);
    }
    const nowNs = this.#clock.nowNs();
    ledger.cutShort(nowNs);
    // Connections that timed out were given up by us, and their requests are already counted.
    const ended = Math.max(0, this.#reconnects - Math.round(this.#timeouts / this.#load.pipelining));
    ledger.now(ledger.untilNs - 1).counters.closed += ended;
    ledger.finish(nowNs);
    void this.terminate();
    this.#report({ kind: "done", endedNs: ledger.untilNs, errors: this.#errors as ErrorTally });
  }

  #count(kind: string, detail: string): void {
    if (this.#isDone) {
      return;
    }
    const error = this.#errors[kind];
    if (error === undefined) {
      this.#errors[kind] = { count: 1, detail };
    } else {
      error.count += 1;
    }
  }
}

function processCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
