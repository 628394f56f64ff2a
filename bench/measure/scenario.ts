// Describes one measurement, and divides it among generators.

import { createHash } from "node:crypto";
import { mixSeeds } from "../../src/lib/random.ts";
import type { Endpoint, EngineName } from "../engine/connection.ts";
import type { HttpLoad } from "../engine/http-probe.ts";
import type { Fill } from "../engine/payload.ts";
import type { Loop, Plan } from "../load/plan.ts";
import type { Scenario as RecordedScenario, Result } from "../result/schema.ts";

/** Connections that one local address can have to one target, well below the usual ephemeral port range. */
const connectionsPerAddress = 20_000;

interface Timing {
  /** Name for plots and tables; null to use the target's URL. */
  readonly label: string | null;
  readonly warmupMs: number;
  readonly durationMs: number;
}

/** Echoes over WebSocket connections. */
export interface WebSocketScenario extends Timing {
  readonly kind: "websocket";
  readonly endpoint: Endpoint;
  readonly engine: EngineName;
  readonly loop: Loop;
  readonly connections: number;
  /** Pace of connecting; undefined for as fast as they come. */
  readonly connectionsPerSecond: number | undefined;
  /** Addresses to connect from, in turn; empty for the system's choice. */
  readonly sources: readonly string[];
  readonly threads: number;
  /** What payloads are made of; null for the content of a file. */
  readonly fill: Fill | null;
  /** What payloads were made from, and random arrivals are. */
  readonly seed: number;
  /** Which of several generators of one run this is, from 1; undefined for the only one. */
  readonly part?: Part | undefined;
}

export interface Part {
  readonly number: number;
  readonly of: number;
}

/** Requests by autocannon. */
export interface HttpScenario extends Timing {
  readonly kind: "http";
  readonly load: HttpLoad;
}

/** What `measure` measures; its values are checked before. */
export type Scenario = WebSocketScenario | HttpScenario;

/** What both kinds of load have. */
export interface Outline {
  readonly url: string;
  readonly connections: number;
  /** For a connection, and for the last replies. */
  readonly timeoutMs: number;
  readonly loop: Result["loop"];
}

export function outlineOf(scenario: Scenario): Outline {
  if (scenario.kind === "http") {
    const { url, connections, timeoutMs } = scenario.load;
    return { url, connections, timeoutMs, loop: "http" };
  }
  const { endpoint, connections, loop } = scenario;
  return { url: endpoint.url, connections, timeoutMs: endpoint.timeoutMs, loop: loop.kind };
}

/**
 * One plan per generator thread; connections are spread evenly.
 * @param isLoopback the target is reached over 127.0.0.0/8, where every address is ours to connect from
 */
export function planThreads(scenario: WebSocketScenario, isLoopback: boolean): Plan[] {
  const { connections, threads, endpoint, part = { number: 1, of: 1 } } = scenario;
  const addressCount = Math.ceil(connections / connectionsPerAddress);
  const localAddresses =
    scenario.sources.length === 0 && isLoopback && addressCount > 1
      ? Array.from({ length: addressCount }, (_, i) => `127.0.${Math.floor(i / 250)}.${(i % 250) + 1}`)
      : scenario.sources;
  return Array.from({ length: threads }, (_, index) => ({
    thread: { index, count: threads },
    phase: (part.number - 1) / part.of,
    numbering: { first: part.number - 1 + part.of * index, step: part.of * threads },
    seed: mixSeeds(scenario.seed, part.number, index),
    connections: Math.floor(connections / threads) + (index < connections % threads ? 1 : 0),
    connectionsPerSecond: scenario.connectionsPerSecond,
    localAddresses,
    loop: scenario.loop,
    payloads: endpoint.payloads,
    timeoutMs: endpoint.timeoutMs,
  }));
}

/** The scenario as a Result keeps it. */
export function recordScenario(scenario: Scenario): RecordedScenario {
  const { warmupMs, durationMs } = scenario;
  const common = { warmupMs, durationMs, generators: 1 };
  return scenario.kind === "http"
    ? { ...common, ...recordHttp(scenario) }
    : { ...common, ...recordWebSocket(scenario) };
}

type Recorded = Omit<RecordedScenario, "warmupMs" | "durationMs" | "generators">;

function recordWebSocket({ endpoint, loop, ...scenario }: WebSocketScenario): Recorded {
  return {
    connections: scenario.connections,
    depth: loop.kind === "closed" ? loop.depth : null,
    ratePerSecond: loop.kind === "open" ? loop.ratePerSecond : null,
    arrivals: loop.kind === "open" ? loop.arrivals : null,
    connectionsPerSecond: scenario.connectionsPerSecond ?? null,
    payloadBytes: endpoint.payloads.map((payload) => payload.length),
    type: endpoint.type,
    verify: endpoint.verify,
    threads: scenario.threads,
    timeoutMs: endpoint.timeoutMs,
    subprotocols: [...endpoint.subprotocols],
    compression: endpoint.deflate,
    fill: scenario.fill,
    payloadSha256: hashOf(endpoint.payloads),
    seed: scenario.seed,
    part: scenario.part ?? null,
  };
}

function recordHttp({ load }: HttpScenario): Recorded {
  return {
    connections: load.connections,
    depth: load.pipelining,
    ratePerSecond: null,
    arrivals: null,
    connectionsPerSecond: null,
    payloadBytes: [Buffer.byteLength(load.body ?? "")],
    type: "text",
    verify: load.verify,
    threads: 1,
    timeoutMs: load.timeoutMs,
    subprotocols: [],
    compression: false,
    fill: null,
    payloadSha256: load.body === undefined ? null : hashOf([Buffer.from(load.body)]),
    seed: null,
    part: null,
  };
}

/** Of one payload, what sha256sum says of its file; of several, of one after the other. */
function hashOf(payloads: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const payload of payloads) {
    hash.update(payload);
  }
  return hash.digest("hex");
}
