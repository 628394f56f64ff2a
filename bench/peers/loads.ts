// The loads under which servers are compared.

import { formatBytes, formatNumber } from "../../src/lib/format.ts";
import { randomSeed } from "../../src/lib/random.ts";
import { makePayload } from "../engine/payload.ts";
import type { WebSocketScenario } from "../measure/scenario.ts";

/** A load with a file name and a title. */
export interface NamedLoad {
  readonly name: string;
  readonly title: string;
  readonly scenario: WebSocketScenario;
}

export interface Durations {
  readonly warmupMs: number;
  readonly durationMs: number;
}

/** Closed loops by payload, messages in flight, connections: from all overhead to all copying. */
const closedLoops = [
  { payloadBytes: 64, depth: 1, connections: 64 },
  { payloadBytes: 64, depth: 16, connections: 64 },
  { payloadBytes: 4096, depth: 1, connections: 64 },
  { payloadBytes: 64 * 1024, depth: 4, connections: 64 },
  { payloadBytes: 1024 * 1024, depth: 2, connections: 16 },
] as const;

/** The open loop, for latency: every server can sustain this rate, so all get the same load. */
const openLoop = { payloadBytes: 64, ratePerSecond: 20_000, connections: 64 };

/** Loads that show how much a server can do. */
export function closedLoads(durations: Durations): NamedLoad[] {
  return closedLoops.map(({ payloadBytes, depth, connections }) => ({
    name: `${formatBytes(payloadBytes)
      .replace(/\.0+ | /, "")
      .toLowerCase()}-x${depth}`,
    title: `${formatBytes(payloadBytes).replace(/\.0+ /, " ")}, ${depth} in flight`,
    scenario: scenarioOf(payloadBytes, connections, { kind: "closed", depth }, durations),
  }));
}

/** The load with the largest share of per-message cost. */
export function denseLoad(durations: Durations): NamedLoad {
  return {
    name: "64b-x64",
    title: "64 B, 64 in flight",
    scenario: scenarioOf(64, 64, { kind: "closed", depth: 64 }, durations),
  };
}

/** The load that shows latency below saturation. */
export function openLoad(durations: Durations): NamedLoad {
  const { payloadBytes, ratePerSecond, connections } = openLoop;
  return {
    name: `${payloadBytes}b-open`,
    title: `${payloadBytes} B at ${formatNumber(ratePerSecond)} messages/s`,
    scenario: scenarioOf(
      payloadBytes,
      connections,
      { kind: "open", ratePerSecond, arrivals: "poisson" },
      durations,
    ),
  };
}

function scenarioOf(
  payloadBytes: number,
  connections: number,
  loop: WebSocketScenario["loop"],
  { warmupMs, durationMs }: Durations,
): WebSocketScenario {
  const seed = randomSeed();
  return {
    kind: "websocket",
    label: null,
    endpoint: {
      url: "ws://127.0.0.1/echo", // Only its path counts: every target is started with a port of its own.
      headers: [],
      subprotocols: [],
      origin: undefined,
      caPem: undefined,
      insecure: false,
      deflate: false,
      timeoutMs: 10_000,
      payloads: [makePayload(payloadBytes, "binary", "random", seed)],
      type: "binary",
      verify: "length",
    },
    engine: "raw",
    loop,
    connections,
    connectionsPerSecond: undefined,
    sources: [],
    fill: "random",
    seed,
    threads: 1,
    warmupMs,
    durationMs,
  };
}
