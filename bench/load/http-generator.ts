// The HTTP load: runs autocannon as a generator, with the same window, seconds and figures as other runs.
//
// autocannon sends the requests and reads the responses; this file records when each was sent and answered, in
// nanoseconds. autocannon's own histogram has whole milliseconds, no warm-up and a wrong correction for coordinated
// omission. The loop is closed: the next request leaves when a response has arrived.

import autocannon from "autocannon";
import { endingOf } from "../engine/failure.ts";
import { probe } from "../engine/http-probe.ts";
import type { Clock } from "./clock.ts";
import { Ledger } from "./ledger.ts";
import type { ErrorTally, HttpPlan, Report } from "./plan.ts";
import { spansFrom } from "./recorder.ts";
import type { GeneratorThread } from "./threads.ts";
import type { Command } from "./worker.ts";

/** Connections refused in a row, per connection, after which the target counts as gone. */
const goneAfter = 10;
const tickMs = 100;
/** Duration for autocannon, which is stopped earlier; longer than any run. */
const foreverSeconds = 8 * 86_400;

export interface HttpGeneratorOptions {
  readonly clock: Clock;
  /** CPU time so far of the thread, or of the process where it is the only generator; undefined if unknown. */
  readonly cpuNs: () => number | undefined;
  readonly report: (report: Report) => void;
}

/** Starts a generator in this thread. */
export function startHttpGenerator(plan: HttpPlan, options: HttpGeneratorOptions): GeneratorThread {
  return new HttpGenerator(plan, options);
}

/** Send times of one connection's requests without a response, oldest first. */
type Outstanding = number[];

class HttpGenerator implements GeneratorThread {
  readonly #plan: HttpPlan;
  readonly #load: HttpPlan["load"];
  readonly #clock: Clock;
  readonly #cpuNs: () => number | undefined;
  readonly #report: (report: Report) => void;
  /** Size of an echoed body; undefined without one, and then whole responses are counted. */
  readonly #payloadBytes: number | undefined;
  readonly #clients = new Map<autocannon.Client, Outstanding>();
  readonly #errors: Record<string, { count: number; detail: string }> = {};
  /** Of the other groups, whose seconds are reported without events. */
  #others: Ledger[] = [];
  #ledger: Ledger | undefined;
  #tracker: autocannon.Tracker | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #ended: Promise<void> = Promise.resolve();
  #cpuMarkNs: number | undefined;
  #drainUntilNs = Number.POSITIVE_INFINITY;
  #lastSentNs = 0;
  #refusedInRow = 0;
  #reconnects = 0;
  #timeouts = 0;
  #isDone = false;

  constructor(plan: HttpPlan, { clock, cpuNs, report }: HttpGeneratorOptions) {
    const { load } = plan;
    this.#plan = plan;
    this.#load = load;
    this.#cpuNs = cpuNs;
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
    const { group, groups, stepsMs } = this.#plan;
    const spans = spansFrom(startNs, stepsMs);
    const ledgers = Array.from({ length: groups }, (_, number) => this.#createLedger(number));
    for (const each of ledgers) {
      each.begin(spans);
    }
    const [ledger] = ledgers.splice(group, 1);
    if (ledger === undefined) {
      throw new RangeError(`there is no group ${group}`);
    }
    this.#ledger = ledger;
    this.#others = ledgers;
    this.#clock.callAfterMs(Math.max(0, (startNs - this.#clock.nowNs()) / 1e6), () => {
      this.#cpuMarkNs = this.#cpuNs();
      this.#start(ledger);
    });
  }

  #createLedger(group: number): Ledger {
    const isOwn = group === this.#plan.group;
    return new Ledger(false, this.#clock.nowNs(), (step, interval) => {
      this.#report({
        kind: "interval",
        group,
        step,
        interval,
        cpuNs: interval.phase !== "step" ? undefined : isOwn ? this.#takeCpuNs() : 0,
        openConnections: isOwn ? this.#clients.size : 0,
        absentClients: 0,
        errors: this.#errors,
      });
    });
  }

  #takeCpuNs(): number | undefined {
    const cpuNs = this.#cpuNs();
    const markNs = this.#cpuMarkNs;
    this.#cpuMarkNs = cpuNs;
    return cpuNs === undefined || markNs === undefined ? undefined : cpuNs - markNs;
  }

  #start(ledger: Ledger): void {
    if (this.#isDone) {
      return;
    }
    const { url, method, headers, body, connections, pipelining, timeoutMs, requestsPerSecond, verify } =
      this.#load;
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
          ...(requestsPerSecond === undefined ? {} : { connectionRate: requestsPerSecond }),
          // Its clock runs between requests too, which may be a second apart.
          timeout: Math.max(requestsPerSecond === undefined ? 1 : 2, Math.ceil(timeoutMs / 1000)),
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
      if (!this.#plan.endsWhenGone) {
        ledger.now(this.#clock.nowNs()).counters.failed += isRefused ? 1 : 0;
      } else if (this.#refusedInRow >= goneAfter * this.#load.connections) {
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
    for (const each of [ledger, ...this.#others]) {
      each.roll(nowNs);
    }
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
    if (this.#isDone) {
      return;
    }
    if (ledger === undefined) {
      this.#isDone = true;
      this.#report({ kind: "done", endedNs: this.#clock.nowNs(), errors: this.#errors as ErrorTally });
      return;
    }
    for (const each of [ledger, ...this.#others]) {
      each.cutShort(this.#clock.nowNs());
    }
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
    for (const each of [ledger, ...this.#others]) {
      each.finish(nowNs);
    }
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
