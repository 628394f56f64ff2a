// Merges figures of several generators that are not sums: takes the worst, and adds histograms.

import { maxKnown, meanKnown, sumOf, sumOrNull } from "./aggregate.ts";
import { addHistograms, decodeHistogram, encodeHistogram, latencyOf } from "./histogram.ts";
import type {
  ClientFigures,
  Connects,
  EncodedHistogram,
  Latency,
  Machine,
  Probe,
  Result,
  ServerFigures,
} from "./schema.ts";

export function extremes(latencies: readonly (Latency | null)[]): Pick<Latency, "min" | "max"> | undefined {
  const known = latencies.filter((latency) => latency !== null);
  if (known.length === 0) {
    return undefined;
  }
  return { min: Math.min(...known.map(({ min }) => min)), max: Math.max(...known.map(({ max }) => max)) };
}

/** The sum of histograms, some of which may be missing; null if all are. */
export function addEncoded(parts: readonly (EncodedHistogram | null)[]): EncodedHistogram | null {
  const known = parts.filter((part) => part !== null);
  if (known.length === 0) {
    return null;
  }
  const { histogram, unitNs } = addHistograms(known.map(decodeHistogram));
  return encodeHistogram(histogram, unitNs);
}

export function mergeGenerators(results: readonly Result[]): Result["generator"] {
  const generators = results.flatMap(({ generator }) => (generator === null ? [] : [generator]));
  const hiccups = generators.flatMap(({ hiccupUs }) => (hiccupUs === null ? [] : [hiccupUs]));
  const worst = (key: "p50" | "p99" | "max"): number => Math.max(...hiccups.map((hiccup) => hiccup[key]));
  return generators.length === 0
    ? null
    : {
        hiccupUs: hiccups.length === 0 ? null : { p50: worst("p50"), p99: worst("p99"), max: worst("max") },
        dispersion: maxKnown(generators.map(({ dispersion }) => dispersion)),
      };
}

export function mergeWires(wires: readonly Result["wire"][]): Result["wire"] {
  const known = wires.filter((wire) => wire !== null);
  return known.length < wires.length
    ? null
    : {
        sentBytes: sumOf(known, ({ sentBytes }) => sentBytes),
        receivedBytes: sumOf(known, ({ receivedBytes }) => receivedBytes),
      };
}

/** The busiest of the machines. */
export function mergeMachines(machines: readonly (Machine | null)[]): Machine | null {
  const known = machines.filter((machine) => machine !== null);
  return known.toSorted((a, b) => b.loadAverage / b.cores - a.loadAverage / a.cores)[0] ?? null;
}

/** Null when one of them has none: its load would be without a probe. */
export function mergeProbes(parts: readonly (Probe | null)[]): Probe | null {
  const probes = parts.filter((probe) => probe !== null);
  if (probes.length === 0 || probes.length < parts.length) {
    return null;
  }
  const histogram = addEncoded(probes.map((probe) => probe.histogram));
  const exact = extremes(probes.map(({ latencyUs }) => latencyUs));
  return {
    connections: sumOf(probes, ({ connections }) => connections),
    ratePerSecond: sumOf(probes, ({ ratePerSecond }) => ratePerSecond),
    opened: sumOf(probes, ({ opened }) => opened),
    messages: addCounts(probes.map(({ messages }) => messages)),
    latencyUs: histogram === null ? null : latencyOf(decodeHistogram(histogram), exact),
    lagUs: maxKnown(probes.map(({ lagUs }) => lagUs)),
    histogram,
  };
}

export function mergeConnects(parts: readonly (Connects | null)[]): Connects | null {
  const known = parts.filter((part) => part !== null);
  if (known.length < parts.length) {
    return null;
  }
  const stage = (name: "lag" | "tcp" | "tls" | "upgrade" | "open" | "firstEcho"): Connects["open"] => {
    const stages = known.map((part) => part[name]).filter((part) => part !== null);
    const histogram = addEncoded(stages.map((part) => part.histogram));
    const latencyUs =
      histogram === null
        ? null
        : latencyOf(decodeHistogram(histogram), extremes(stages.map((part) => part.latencyUs)));
    return histogram === null || latencyUs === null ? null : { latencyUs, histogram };
  };
  return {
    askedPerSecond: sumOrNull(known.map(({ askedPerSecond }) => askedPerSecond)),
    perSecond: sumOrNull(known.map(({ perSecond }) => perSecond)),
    compressed: sumOf(known, ({ compressed }) => compressed),
    lag: stage("lag"),
    tcp: stage("tcp"),
    tls: stage("tls"),
    upgrade: stage("upgrade"),
    open: stage("open"),
    firstEcho: stage("firstEcho"),
  };
}

/** The generators together. */
export function mergeClients(
  results: readonly {
    readonly client: ClientFigures;
    readonly summary: { readonly messagesPerSecond: number };
  }[],
): ClientFigures {
  const clients = results.map(({ client }) => client);
  const messagesPerSecond = sumOf(results, ({ summary }) => summary.messagesPerSecond);
  const cpuUsPerSecond = sumOrNull(
    results.map(({ client, summary }) =>
      client.cpuUsPerMessage === null ? null : client.cpuUsPerMessage * summary.messagesPerSecond,
    ),
  );
  return {
    cpuUsPerMessage:
      cpuUsPerSecond === null || messagesPerSecond === 0 ? null : cpuUsPerSecond / messagesPerSecond,
    cpuPercent: sumOf(clients, ({ cpuPercent }) => cpuPercent),
    busiestThreadPercent: maxKnown(clients.map(({ busiestThreadPercent }) => busiestThreadPercent)),
    lagUs: maxKnown(clients.map(({ lagUs }) => lagUs)),
    waitedPercent: maxKnown(clients.map(({ waitedPercent }) => waitedPercent)),
    rssBytes: sumOrNull(clients.map(({ rssBytes }) => rssBytes)),
    cpus: unique(clients.flatMap(({ cpus }) => cpus)).sort((a, b) => a - b),
  };
}

/** All generators sampled the same server, so its figures are averaged, and divided by all messages. */
export function mergeServers(
  results: readonly Pick<Result, "server">[],
  messagesPerSecond: number,
): ServerFigures | undefined {
  const servers = results.flatMap(({ server }) => (server === undefined ? [] : [server]));
  const [first] = servers;
  if (first === undefined) {
    return undefined;
  }
  const cpuPercent = meanKnown(servers.map((server) => server.cpuPercent));
  const silent = unique(servers.flatMap(({ silent: each = [] }) => each));
  return {
    ...first,
    cpuPercent,
    cpuUsPerMessage:
      cpuPercent === null || messagesPerSecond === 0 ? null : (cpuPercent * 1e4) / messagesPerSecond,
    busiestThreadPercent: maxKnown(servers.map(({ busiestThreadPercent }) => busiestThreadPercent)),
    waitedPercent: maxKnown(servers.map(({ waitedPercent }) => waitedPercent)),
    receivedMessages: maxKnown(servers.map(({ receivedMessages }) => receivedMessages)),
    replicas: Math.max(...servers.map(({ replicas }) => replicas)),
    ...(silent.length === 0 ? {} : { silent }),
    rssBytes: maxKnown(servers.map(({ rssBytes }) => rssBytes)),
    maxBufferedBytes: maxKnown(servers.map(({ maxBufferedBytes }) => maxBufferedBytes)),
    droppedMessages: maxKnown(servers.map(({ droppedMessages }) => droppedMessages)),
  };
}

export function addCounts<T extends Record<string, number>>(parts: readonly T[]): T {
  return addTallies(parts) as T;
}

export function addTallies(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const part of parts) {
    for (const [name, count] of Object.entries(part)) {
      sum[name] = (sum[name] ?? 0) + count;
    }
  }
  return sum;
}

export function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
