// Counts the connections of endpoints on demand against --endpoints-connections, delayed handshakes and held answers included.
import type { BehaviourName } from "../../lib/behaviours.ts";
import { bump, endpointSlot, type Stats, slot } from "../../metrics/counters.ts";
import { type Refusal, refuse } from "../refusals.ts";

export class Capacity {
  readonly #limit: number;
  readonly #stats: Stats;
  #open = 0;

  constructor(limit: number, stats: Stats) {
    this.#limit = limit;
    this.#stats = stats;
  }

  /** The refusal of a further connection, if the limit is reached. */
  refusal(): Refusal | undefined {
    return this.#open < this.#limit
      ? undefined
      : refuse(
          "endpoints_capacity",
          `Endpoints on demand have ${this.#limit} connections, their limit (--endpoints-connections).\n`,
        );
  }

  /** Counts a connection until the returned function is called. */
  take(name: BehaviourName): () => void {
    this.#count(name, 1);
    return () => this.#count(name, -1);
  }

  #count(name: BehaviourName, by: 1 | -1): void {
    this.#open += by;
    bump(this.#stats, endpointSlot(slot.endpointConnections, name), by);
  }
}
