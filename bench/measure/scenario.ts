// Describes one measurement, and divides it among generators.

import type { Endpoint, EngineName } from "../engine/connection.ts";
import type { HttpLoad } from "../engine/http-probe.ts";
import { type Fill, payloadHash } from "../engine/payload.ts";
import { shareOf } from "../load/arrivals.ts";
import type { Scenario as RecordedScenario, Result } from "../result/schema.ts";
import { type Curve, constant } from "../scenario/curve.ts";
import { type Arrivals, steadyPopulation } from "../scenario/population.ts";
import {
  type Abort,
  defaultGuards,
  type Group,
  type Scenario as Session,
  type Step,
} from "../scenario/scenario.ts";
import type { Stage } from "../scenario/stages.ts";
import type { Messages } from "../scenario/traffic.ts";

export type Loop =
  | { readonly kind: "closed"; readonly depth: number }
  | { readonly kind: "open"; readonly ratePerSecond: number; readonly arrivals: Arrivals };

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
  /** An open loop whose rate changes: its stages make up the measured window, and the loop's rate is their mean. */
  readonly stages?: readonly Stage[] | undefined;
  /** Ends the run early. */
  readonly abortIf?: readonly Abort[] | undefined;
  readonly connections: number;
  /** Connect rate; undefined for as fast as handshakes complete. */
  readonly connectionsPerSecond: number | undefined;
  /** An open loop beside the load, on connections and in a thread of its own. */
  readonly probe?: Probe | undefined;
  /** Source addresses, used in turn; empty to let the system choose. */
  readonly sources: readonly string[];
  readonly threads: number;
  /** Fill of generated payloads; null for the content of a file. */
  readonly fill: Fill | null;
  /** Seed of payloads and random arrivals. */
  readonly seed: number;
  /** Which of several generators of one run this is, from 1; undefined for the only one. */
  readonly part?: Part | undefined;
}

export interface Part {
  readonly number: number;
  readonly of: number;
}

export interface Probe {
  readonly connections: number;
  readonly ratePerSecond: number;
}

/** One generator's share of a number of connections, and of a rate. */
export function sharesOf({ number, of }: Part) {
  return {
    connections: (all: number): number => shareOf(all, { index: number - 1, count: of }),
    rate: (perSecond: number): number => perSecond / of,
  };
}

/** Divides a load: returns one generator's share of the connections and rates. */
export function partOf(scenario: WebSocketScenario, part: Part): WebSocketScenario {
  const { loop, stages, connectionsPerSecond, probe } = scenario;
  const { connections, rate } = sharesOf(part);
  return {
    ...scenario,
    part,
    connections: connections(scenario.connections),
    connectionsPerSecond: connectionsPerSecond && rate(connectionsPerSecond),
    loop: loop.kind === "closed" ? loop : { ...loop, ratePerSecond: rate(loop.ratePerSecond) },
    stages: stages?.map((stage) => ({ ...stage, from: rate(stage.from), to: rate(stage.to) })),
    probe: probe && {
      connections: connections(probe.connections),
      ratePerSecond: rate(probe.ratePerSecond),
    },
  };
}

/** Requests by autocannon. */
export interface HttpScenario extends Timing {
  readonly kind: "http";
  readonly load: HttpLoad;
}

/** A scenario of `measure`, already validated. */
export type Scenario = WebSocketScenario | HttpScenario;

/** Common to both kinds of load. */
export interface Outline {
  readonly url: string;
  readonly connections: number;
  /** Timeout of a handshake and of the last replies. */
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

/** The warm-up, if there is one, and the measured window, or its stages. */
export function stepsOf(scenario: Scenario): Step[] {
  const { warmupMs, durationMs } = scenario;
  const { stages = [{ name: "measure", durationMs }], abortIf = [] } =
    scenario.kind === "websocket" ? scenario : {};
  const measured = stages.map(({ name, durationMs: ms }) => ({
    name,
    durationMs: ms,
    measured: true,
    abortIf,
  }));
  return warmupMs > 0
    ? [{ name: "warmup", durationMs: warmupMs, measured: false, abortIf: [] }, ...measured]
    : measured;
}

/** The rate over the whole timeline; the warm-up runs at the initial rate. */
function rateOf({ warmupMs, stages }: WebSocketScenario, ratePerSecond: number): Curve {
  const first = stages?.[0]?.from ?? ratePerSecond;
  return stages === undefined
    ? constant(ratePerSecond)
    : [{ durationMs: warmupMs, from: first, to: first }, ...stages];
}

/** Converts the scenario to a session: the load is the first group, a probe the second. */
export function sessionOf(scenario: WebSocketScenario): Session {
  const { endpoint, loop, connections, connectionsPerSecond, threads, part, seed, sources } = scenario;
  const { payloads, type, verify, ...target } = endpoint;
  const messages = { payloads: payloads.map((content) => ({ content, weight: 1 })), type, verify };
  return {
    target: { ...target, engine: scenario.engine, sources },
    groups: [
      {
        name: "echo",
        population: steadyPopulation(connections, { connectRate: connectionsPerSecond }),
        traffic: {
          kind: "echo",
          loop:
            loop.kind === "closed"
              ? loop
              : { kind: "open", rate: rateOf(scenario, loop.ratePerSecond), arrivals: loop.arrivals },
          messages,
          match: "fifo",
        },
      },
      ...(scenario.probe === undefined ? [] : [probeGroup(scenario.probe, messages)]),
    ],
    timeline: stepsOf(scenario),
    guards: defaultGuards(connections),
    resources: { threads, seed, part },
  };
}

function probeGroup({ connections, ratePerSecond }: Probe, messages: Messages): Group {
  const rate = constant(ratePerSecond);
  return {
    name: "probe",
    population: steadyPopulation(connections),
    traffic: { kind: "echo", loop: { kind: "open", rate, arrivals: "even" }, messages, match: "fifo" },
    hasOwnThread: true,
  };
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
    stages:
      scenario.stages?.map(({ durationMs, from, to }) => ({
        durationMs,
        fromPerSecond: from,
        toPerSecond: to,
      })) ?? null,
    connectionsPerSecond: scenario.connectionsPerSecond ?? null,
    payloadBytes: endpoint.payloads.map((payload) => payload.length),
    type: endpoint.type,
    verify: endpoint.verify,
    threads: scenario.threads,
    timeoutMs: endpoint.timeoutMs,
    subprotocols: [...endpoint.subprotocols],
    compression: endpoint.deflate,
    fill: scenario.fill,
    payloadSha256: payloadHash(endpoint.payloads),
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
    stages: null,
    connectionsPerSecond: null,
    payloadBytes: [Buffer.byteLength(load.body ?? "")],
    type: "text",
    verify: load.verify,
    threads: 1,
    timeoutMs: load.timeoutMs,
    subprotocols: [],
    compression: false,
    fill: null,
    payloadSha256: load.body === undefined ? null : payloadHash([Buffer.from(load.body)]),
    seed: null,
    part: null,
  };
}
