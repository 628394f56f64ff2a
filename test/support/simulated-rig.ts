// A simulated target for searches, without real time: it holds loads up to its capacity, with noise and random stalls.

import type { Rig } from "../../bench/measure/search.ts";
import type { Trial, TrialCause, TrialOutcome } from "../../bench/result/search.ts";
import { createRandom } from "../../src/lib/random.ts";
import { normalOf } from "./comparison.ts";

export interface Simulation {
  /** The largest load that holds, by goal. */
  readonly capacities: readonly number[];
  /** Standard deviation of the capacity from trial to trial, as a share. */
  readonly noise?: number;
  /** Probability that a trial meets a stall, in which every goal fails. */
  readonly stalls?: number;
  /** Beyond this load the generator is not fit. */
  readonly generatorLimit?: number;
  /** From this trial on, the target does not answer. */
  readonly diesAtTrial?: number;
  /** Ctrl-C is pressed during this trial. */
  readonly interruptedAtTrial?: number;
  readonly seed?: number;
}

/** What a trial takes besides its load. */
const overheadMs = 400;
const settleMs = 1000;

export class SimulatedRig implements Rig {
  readonly #simulation: Simulation;
  readonly #random: () => number;
  readonly #normal: () => number;
  #nowMs = 0;
  made = 0;

  constructor(simulation: Simulation) {
    const { seed = 1 } = simulation;
    this.#simulation = simulation;
    this.#random = createRandom(seed);
    this.#normal = normalOf(seed + 1000);
  }

  nowMs(): number {
    return this.#nowMs;
  }

  trial(load: number, durationMs: number): Promise<Trial | undefined> {
    const { capacities, noise = 0, stalls = 0, generatorLimit = Number.POSITIVE_INFINITY } = this.#simulation;
    const { diesAtTrial = Number.POSITIVE_INFINITY, interruptedAtTrial } = this.#simulation;
    this.made += 1;
    this.#nowMs += settleMs + durationMs + overheadMs;
    if (this.made === interruptedAtTrial) {
      return Promise.resolve(undefined);
    }
    const factor = 1 + noise * this.#normal();
    const isStalled = this.#random() < stalls;
    const isDead = this.made >= diesAtTrial;
    const outcomes = capacities.map((capacity): TrialOutcome => {
      if (isDead) {
        return outcomeOf("bad", "nothing");
      }
      if (!isStalled && load <= capacity * factor) {
        return outcomeOf("good", null);
      }
      return load > generatorLimit ? outcomeOf("unfit", "generator") : outcomeOf("bad", "slo");
    });
    return Promise.resolve(trialOf(load, durationMs, outcomes));
  }
}

function outcomeOf(state: TrialOutcome["state"], cause: TrialCause | null): TrialOutcome {
  return { state, cause, reason: cause };
}

/** A trial of which only load and outcomes matter. */
export function trialOf(load: number, durationMs: number, outcomes: TrialOutcome[]): Trial {
  return {
    load,
    startedAt: "2026-11-22T12:00:00.000Z",
    durationMs,
    messagesPerSecond: load,
    latencyUs: null,
    lagUs: null,
    busiestThreadPercent: null,
    serverCpuPercent: null,
    serverCpuUsPerMessage: null,
    outcomes,
  };
}
