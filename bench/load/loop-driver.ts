// Runs the open loop of a traffic, if it has one, and measures how evenly its messages are sent.

import type { Curve } from "../scenario/curve.ts";
import type { Loop } from "../scenario/traffic.ts";
import { Dispersion } from "./dispersion.ts";
import { type LoopClient, type LoopLane, OpenLoop } from "./open-loop.ts";
import { createPacer } from "./pacer.ts";
import type { TrafficTools } from "./traffic.ts";

export class LoopDriver<L extends LoopLane> {
  readonly #tools: TrafficTools;
  readonly #loop: Loop;
  readonly #client: LoopClient<L>;
  #openLoop: OpenLoop<L> | undefined;

  constructor(tools: TrafficTools, loop: Loop, client: LoopClient<L>) {
    this.#tools = tools;
    this.#loop = loop;
    this.#client = client;
  }

  start(startNs: number): void {
    if (this.#loop.kind === "open") {
      const { clock, calls, ledger, thread, phase, random } = this.#tools;
      const { arrivals, rate } = this.#loop;
      const pacer = createPacer(arrivals, rate, startNs, thread, phase, random);
      this.#openLoop = new OpenLoop({ client: this.#client, clock, calls, pacer, ledger });
      this.#openLoop.start();
    }
  }

  stop(): void {
    this.#openLoop?.stop();
  }

  beginStep(fromNs: number): void {
    const rate = this.#loop.kind === "open" ? steadyRateOf(this.#loop.rate) : undefined;
    if (this.#openLoop !== undefined && rate !== undefined) {
      this.#openLoop.dispersion = new Dispersion(fromNs, (this.#tools.thread.count * 1e9) / rate);
    }
  }

  endStep(untilNs: number): number | undefined {
    const dispersion = this.#openLoop?.dispersion;
    if (this.#openLoop !== undefined) {
      this.#openLoop.dispersion = undefined;
    }
    return dispersion?.finish(untilNs);
  }
}

/** The rate, if it is constant; only then are equal spans comparable. */
function steadyRateOf(rate: Curve): number | undefined {
  const first = rate[0]?.from;
  return first !== undefined && first > 0 && rate.every(({ from, to }) => from === first && to === first)
    ? first
    : undefined;
}
