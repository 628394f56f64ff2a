// Owns what one measurement consists of, and how it is dealt out to generators.
// Must not know the command line, nor how anything is measured.

import type { Endpoint, EngineName } from "../engine/connection.ts";
import type { Loop, Plan } from "../load/plan.ts";
import type { Scenario as RecordedScenario } from "../result/schema.ts";

/** Connections that one local address can have to one target, well below the usual ephemeral port range. */
const connectionsPerAddress = 20_000;

/** All that `measure` needs to know; checked before it gets here. */
export interface Scenario {
  /** Name for plots and tables; null to use the target's URL. */
  readonly label: string | null;
  readonly endpoint: Endpoint;
  readonly engine: EngineName;
  readonly loop: Loop;
  readonly connections: number;
  /** Pace of connecting; undefined for as fast as they come. */
  readonly connectionsPerSecond: number | undefined;
  readonly threads: number;
  readonly warmupMs: number;
  readonly durationMs: number;
}

/**
 * One plan per generator thread; connections are spread evenly.
 * @param isLoopback the target is reached over 127.0.0.0/8, where every address is ours to connect from
 */
export function planThreads(scenario: Scenario, isLoopback: boolean): Plan[] {
  const { connections, threads, endpoint } = scenario;
  const addressCount = Math.ceil(connections / connectionsPerAddress);
  const localAddresses =
    isLoopback && addressCount > 1
      ? Array.from({ length: addressCount }, (_, i) => `127.0.${Math.floor(i / 250)}.${(i % 250) + 1}`)
      : [];
  return Array.from({ length: threads }, (_, index) => ({
    thread: { index, count: threads },
    connections: Math.floor(connections / threads) + (index < connections % threads ? 1 : 0),
    connectionsPerSecond: scenario.connectionsPerSecond,
    localAddresses,
    loop: scenario.loop,
    payloads: endpoint.payloads,
    timeoutMs: endpoint.timeoutMs,
  }));
}

/** The scenario as a Result keeps it. */
export function recordScenario({ endpoint, loop, ...scenario }: Scenario): RecordedScenario {
  return {
    connections: scenario.connections,
    depth: loop.kind === "closed" ? loop.depth : null,
    ratePerSecond: loop.kind === "open" ? loop.ratePerSecond : null,
    arrivals: loop.kind === "open" ? loop.arrivals : null,
    durationMs: scenario.durationMs,
    warmupMs: scenario.warmupMs,
    connectionsPerSecond: scenario.connectionsPerSecond ?? null,
    payloadBytes: endpoint.payloads.map((payload) => payload.length),
    type: endpoint.type,
    verify: endpoint.verify,
    threads: scenario.threads,
    timeoutMs: endpoint.timeoutMs,
    subprotocols: [...endpoint.subprotocols],
    compression: endpoint.deflate,
    generators: 1,
  };
}
