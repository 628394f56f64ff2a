// Compiles a scenario: one plan per generator thread.

import { mixSeeds } from "../../src/lib/random.ts";
import type { Endpoint } from "../engine/connection.ts";
import type { GroupPlan, HttpPlan, Plan, TrafficPlan } from "../load/plan.ts";
import { largestOf } from "../scenario/curve.ts";
import { steadyPopulation } from "../scenario/population.ts";
import type { Group, Scenario } from "../scenario/scenario.ts";
import type { Messages, Payload, Traffic } from "../scenario/traffic.ts";
import type { Locality } from "../target/target.ts";

/** Connections that one local address can have to one target, well below the usual ephemeral port range. */
const connectionsPerAddress = 20_000;

/** The empty message for engines that send nothing. */
const nothingSent: Messages = {
  payloads: [{ content: new Uint8Array(), weight: 1 }],
  type: "binary",
  verify: "none",
};

/** The plans of all threads: those that share groups, then one for each group that has a thread for itself. More connections of all parts than one address has ports for leave from several loopback addresses. */
export function planThreads(
  scenario: Scenario,
  { overIpv4Loopback }: Pick<Locality, "overIpv4Loopback">,
): Plan[] {
  const { groups, timeline, resources, target } = scenario;
  const { threads, seed, part = { number: 1, of: 1 } } = resources;
  const { sources = [] } = target;
  const localAddresses =
    sources.length === 0 && overIpv4Loopback ? loopbackAddresses(connectionsOf(groups) * part.of) : sources;
  const plans = groups.map((group) => ({
    ...planGroup(scenario, group, localAddresses),
    ...(group.traffic.kind === "http" ? elsewhere : {}),
  }));
  const planOf = (thread: Plan["thread"], isHere: (group: Group) => boolean): Plan => ({
    thread,
    phase: (part.number - 1) / part.of,
    groups: plans.map((plan, number) => {
      const group = groups[number];
      const here = group !== undefined && isHere(group);
      return {
        ...(here ? plan : { ...plan, ...elsewhere }),
        tag: mixSeeds(seed, part.number, number),
        numbering: {
          // Numbers follow those of the groups before.
          first: connectionsOf(groups.slice(0, number)) * part.of + part.number - 1 + part.of * thread.index,
          step: part.of * thread.count,
        },
      };
    }),
    stepsMs: timeline.map(({ durationMs }) => durationMs),
    timeoutMs: target.timeoutMs,
    seed: mixSeeds(seed, part.number, thread.index),
  });
  const isShared = ({ hasOwnThread = false }: Group): boolean => !hasOwnThread;
  const webSocketGroups = groups.filter(({ traffic }) => traffic.kind !== "http");
  return [
    ...Array.from({ length: webSocketGroups.some(isShared) ? threads : 0 }, (_, index) =>
      planOf({ index, count: threads }, isShared),
    ),
    ...webSocketGroups
      .filter((group) => !isShared(group))
      .map((own) => planOf({ index: 0, count: 1 }, (group) => group === own)),
  ];
}

/** The plans of the groups that send HTTP requests. */
export function planHttp({ groups, timeline, target }: Scenario): HttpPlan[] {
  return groups.flatMap(({ traffic, population }, group) => {
    if (traffic.kind !== "http") {
      return [];
    }
    const { kind: _kind, ...request } = traffic;
    return [
      {
        load: { ...request, connections: largestOf(population.size), timeoutMs: target.timeoutMs },
        group,
        groups: groups.length,
        stepsMs: timeline.map(({ durationMs }) => durationMs),
        endsWhenGone: false,
      },
    ];
  });
}

/** The empty plan of a group that runs in other threads. */
const elsewhere: Pick<GroupPlan, "population" | "traffic"> = {
  population: steadyPopulation(0),
  traffic: { kind: "idle" },
};

/** Maximum of concurrent connections. */
export function connectionsOf(groups: readonly Group[]): number {
  return groups.reduce((sum, { population }) => sum + Math.ceil(largestOf(population.size)), 0);
}

function loopbackAddresses(connections: number): string[] {
  const count = Math.ceil(connections / connectionsPerAddress);
  return count > 1
    ? Array.from({ length: count }, (_, i) => `127.0.${Math.floor(i / 250)}.${(i % 250) + 1}`)
    : [];
}

function planGroup(
  { target }: Scenario,
  { population, traffic }: Group,
  localAddresses: readonly string[],
): Omit<GroupPlan, "numbering" | "tag"> {
  const { engine, sources: _sources, ...route } = target;
  const { payloads, type, verify } = messagesOf(traffic);
  const endpoint: Endpoint = {
    ...route,
    payloads: inTurn(payloads),
    type,
    verify,
    readBytesPerSecond: traffic.kind === "read" ? traffic.bytesPerSecond : undefined,
    passesContent: !(traffic.kind === "read" || (traffic.kind === "echo" && traffic.match === "fifo")),
  };
  return {
    // Only the raw engine can read slowly.
    engine: traffic.kind === "read" ? "raw" : engine,
    endpoint,
    localAddresses,
    population,
    traffic: trafficPlan(traffic),
  };
}

function messagesOf(traffic: Traffic): Messages {
  if (traffic.kind === "echo" || traffic.kind === "read") {
    return traffic.messages;
  }
  return "type" in traffic ? { ...nothingSent, type: traffic.type } : nothingSent;
}

function trafficPlan(traffic: Traffic): TrafficPlan {
  switch (traffic.kind) {
    case "idle":
    case "http":
      return { kind: "idle" };
    case "ping":
      return { kind: "ping", intervalMs: traffic.intervalMs };
    case "echo":
      return {
        kind: "echo",
        loop: traffic.loop,
        match: traffic.match,
        fence: traffic.fence ?? false,
      };
    case "read":
      return {
        kind: "echo",
        loop: { kind: "open", rate: traffic.rate, arrivals: "even" },
        match: "fifo",
        fence: false,
      };
    case "listen":
      return { kind: "listen", onOpen: traffic.onOpen };
    case "fanout":
    case "script":
      return traffic;
  }
}

/** Repeats payloads by weight, spread evenly: each turn takes the payload that is furthest behind. */
function inTurn(payloads: readonly Payload[]): Uint8Array[] {
  const total = payloads.reduce((sum, { weight }) => sum + weight, 0);
  const lead = payloads.map(() => 0);
  return Array.from({ length: total }, () => {
    payloads.forEach(({ weight }, i) => {
      lead[i] = (lead[i] ?? 0) + weight;
    });
    const next = lead.indexOf(Math.max(...lead));
    lead[next] = (lead[next] ?? 0) - total;
    return payloads[next]?.content ?? new Uint8Array();
  });
}
