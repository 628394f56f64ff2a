// Computes the resource figures of a Result from samples of generator, server and machine.

import type { Crew, StepTally } from "../load/crew.ts";
import type { DistributionName } from "../load/metrics.ts";
import { type Tally, type TimesTally, useTimes } from "../load/tally.ts";
import { encodeHistogram, latencyOf } from "../result/histogram.ts";
import type { ClientFigures, Connects, Machine, Result, ServerFigures } from "../result/schema.ts";
import type { ServerSample } from "../target/sampler.ts";
import type { Watched } from "./watch.ts";

/** CPU time and memory of this process at one moment. */
export interface ClientMark {
  readonly takenNs: number;
  readonly cpuUs: number;
  readonly waitedUs: number | null;
  readonly rssBytes: number;
}

/** Server samples over the window: at its start, every second, and at its end, as far as available. */
export interface ServerRecord {
  readonly source: ServerFigures["source"];
  readonly cpus: number[] | null;
  readonly samples: readonly ServerSample[];
}

/** Minimum share of our messages that a server must have received to count as the whole target. */
const wholeShare = 0.9;

interface ClientParts {
  /** Tallies of the step, of all groups. */
  readonly tallies: readonly Tally[];
  readonly marks: Pick<Watched, "from" | "until" | "machine">;
  readonly clientCpus: number[];
  readonly fromNs: number;
  readonly untilNs: number;
  /** At least one group has a schedule. */
  readonly hasSchedule: boolean;
}

/** CPU time covers the whole process, including wake-ups for a schedule. */
export function clientFigures(parts: ClientParts): ClientFigures {
  const { tallies, marks, clientCpus, fromNs, untilNs, hasSchedule } = parts;
  const { from, until } = marks;
  const markedUs = (until.takenNs - from.takenNs) / 1000;
  const share = (spentUs: number): number => (markedUs > 0 ? Math.max(0, spentUs) / markedUs : 0);
  const cpuShare = share(until.cpuUs - from.cpuUs);
  const windowNs = untilNs - fromNs;
  const replies = tallies.reduce((sum, { counters }) => sum + counters.received, 0);
  const threads = threadCpuNs(tallies);
  const isWaitKnown = from.waitedUs !== null && until.waitedUs !== null;
  return {
    cpuUsPerMessage: replies > 0 ? (cpuShare * windowNs) / 1000 / replies : null,
    cpuPercent: 100 * cpuShare,
    busiestThreadPercent: threads.length > 0 ? (100 * Math.max(...threads)) / windowNs : null,
    lagUs: hasSchedule
      ? useTimes(tallies, "lag", ({ histogram }) => histogram.getValueAtPercentile(99) / 1000)
      : null,
    waitedPercent: isWaitKnown ? 100 * share((until.waitedUs ?? 0) - (from.waitedUs ?? 0)) : null,
    rssBytes: until.rssBytes,
    cpus: clientCpus,
  };
}

/** CPU time of each thread over all groups, where known. */
function threadCpuNs(tallies: readonly Tally[]): number[] {
  const threads = Math.max(...tallies.map((tally) => tally.threadCpuNs.length));
  return Array.from({ length: threads }, (_, thread) => tallies.map((tally) => tally.threadCpuNs[thread]))
    .filter((parts) => parts.every((cpuNs) => cpuNs !== undefined))
    .map((parts) => parts.reduce<number>((sum, cpuNs) => sum + (cpuNs ?? 0), 0));
}

/** @param replies to our messages in the window */
export function serverPart(
  server: ServerRecord | undefined,
  replies: number,
  seconds: number,
): { server?: ServerFigures } {
  const first = server?.samples[0];
  const last = server?.samples.at(-1);
  if (server === undefined || first === undefined || last === undefined || last.takenNs <= first.takenNs) {
    return {};
  }
  // Samples are not exactly at the edges of the window, so compare shares.
  const sampledSeconds = (last.takenNs - first.takenNs) / 1e9;
  const cpuShare = Math.max(0, last.cpuSeconds - first.cpuSeconds) / sampledSeconds;
  const waitedSeconds = differenceOf(first.waitedSeconds, last.waitedSeconds);
  const receivedMessages = differenceOf(first.receivedMessages, last.receivedMessages);
  const buffered = server.samples.map(({ bufferedBytes }) => bufferedBytes).filter((bytes) => bytes !== null);
  const silent = silentIn(server.samples);
  // One of several replicas has served only part of our messages, so divide its cost by that part.
  const isPart = receivedMessages !== null && last.replicas === 1 && receivedMessages < wholeShare * replies;
  const served = isPart ? receivedMessages / sampledSeconds : replies / seconds;
  return {
    server: {
      source: server.source,
      cpuUsPerMessage: served > 0 && last.replicas === 1 ? (cpuShare * 1e6) / served : null,
      cpuPercent: last.replicas === 1 ? 100 * cpuShare : null,
      busiestThreadPercent: busiestThread(first, last, sampledSeconds),
      waitedPercent: waitedSeconds === null ? null : (100 * waitedSeconds) / sampledSeconds,
      workers: last.workers,
      rssBytes: last.rssBytes,
      maxBufferedBytes: buffered.length > 0 ? Math.max(...buffered) : null,
      droppedMessages: differenceOf(first.droppedMessages, last.droppedMessages),
      receivedMessages,
      replicas: last.replicas,
      ...(silent.length === 0 ? {} : { silent }),
      cpus: server.cpus,
    },
  };
}

/** Addresses whose page some sample lacks. */
export function silentIn(samples: readonly ServerSample[]): string[] {
  return [...new Set(samples.flatMap(({ silent = [] }) => silent))].sort();
}

function differenceOf(from: number | null, until: number | null): number | null {
  return from === null || until === null ? null : Math.max(0, until - from);
}

function busiestThread(first: ServerSample, last: ServerSample, seconds: number): number | null {
  if (first.threadCpuSeconds === null || last.threadCpuSeconds === null) {
    return null;
  }
  const before = first.threadCpuSeconds;
  const used = [...last.threadCpuSeconds].map(([name, cpu]) => cpu - (before.get(name) ?? 0));
  return used.length === 0 ? null : (100 * Math.max(0, ...used)) / seconds;
}

export function machineFigures({ from, until, machine }: ClientParts["marks"]): Machine {
  const seconds = (until.takenNs - from.takenNs) / 1e9;
  const percent = (read: (mark: typeof machine.from) => number | null): number | null => {
    const used = differenceOf(read(machine.from), read(machine.until));
    return used === null || seconds <= 0 ? null : (100 * used) / seconds;
  };
  return {
    loadAverage: machine.until.loadAverage,
    cores: machine.until.cores,
    busyPercent: percent((mark) => mark.busySeconds),
    stealPercent: percent((mark) => mark.stealSeconds),
    pressurePercent: percent((mark) => mark.pressureSeconds),
  };
}

export function generatorFigures(step: StepTally | undefined, group: number): Result["generator"] {
  const hiccups = step?.hiccups;
  return {
    hiccupUs:
      hiccups === undefined
        ? null
        : { p50: hiccups.p50Ns / 1000, p99: hiccups.p99Ns / 1000, max: hiccups.maxNs / 1000 },
    dispersion: step?.groups[group]?.dispersion ?? null,
  };
}

export function wireFigures(step: StepTally | undefined, group: number): Result["wire"] {
  const wire = step?.groups[group]?.wire;
  return wire === undefined ? null : { sentBytes: wire.sent, receivedBytes: wire.received };
}

/** Figures of a group's connections over the whole run; null if the generator did not open them. */
export function connectFigures(
  crew: Pick<Crew, "tallies" | "connectSpan">,
  group: number,
  askedPerSecond: number | null,
): Connects | null {
  const span = crew.connectSpan;
  if (span === undefined) {
    return null;
  }
  const tallies = crew.tallies(group);
  const opened = tallies[0]?.counters.opened ?? 0;
  const seconds = (span.untilNs - span.fromNs) / 1e9;
  const stage = (name: DistributionName): Connects["open"] => useTimes(tallies, name, timedFigures);
  return {
    askedPerSecond,
    perSecond: opened > 0 && seconds > 0 ? opened / seconds : null,
    compressed: tallies.reduce((sum, { counters }) => sum + counters.compressed, 0),
    lag: stage("connectLag"),
    tcp: stage("tcp"),
    tls: stage("tls"),
    upgrade: stage("upgrade"),
    open: stage("open"),
    firstEcho: stage("firstEcho"),
  };
}

/** Null if nothing was recorded. */
export function timedFigures({ histogram, minNs, maxNs }: TimesTally): Connects["open"] {
  const latencyUs = latencyOf({ histogram, unitNs: 1 }, { min: minNs / 1000, max: maxNs / 1000 });
  return latencyUs === null ? null : { latencyUs, histogram: encodeHistogram(histogram, 1) };
}
