// Turns what was read of generator, server and machine at the edges of the window into the figures of a Result.

import type { ConnectStage } from "../load/connects.ts";
import type { Crew } from "../load/crew.ts";
import type { Tally } from "../load/tally.ts";
import { encodeHistogram, latencyOf } from "../result/histogram.ts";
import type { ClientFigures, Connects, Machine, Result, ServerFigures } from "../result/schema.ts";
import type { ServerSample } from "../target/sampler.ts";
import { outlineOf, type Scenario } from "./scenario.ts";
import type { Watched } from "./watch.ts";

/** CPU time and memory of this process at one moment. */
export interface ClientMark {
  readonly takenNs: number;
  readonly cpuUs: number;
  readonly waitedUs: number | null;
  readonly rssBytes: number;
}

/** The server over the window: a sample at its start, one each second, one at its end, as far as they could be had. */
export interface ServerRecord {
  readonly source: ServerFigures["source"];
  readonly cpus: number[] | null;
  readonly samples: readonly ServerSample[];
}

/** Part of our messages that a server has to have seen, to be all of the target. */
const wholeShare = 0.9;

interface ClientParts {
  readonly tally: Tally;
  readonly marks: Pick<Watched, "from" | "until" | "machine">;
  readonly clientCpus: number[];
  readonly fromNs: number;
  readonly untilNs: number;
  readonly scenario: Scenario;
}

/** CPU time is that of the whole process, with what it takes to wake up in time for a schedule. */
export function clientFigures(parts: ClientParts): ClientFigures {
  const { tally, marks, clientCpus, fromNs, untilNs, scenario } = parts;
  const { from, until } = marks;
  const markedUs = (until.takenNs - from.takenNs) / 1000;
  const share = (spentUs: number): number => (markedUs > 0 ? Math.max(0, spentUs) / markedUs : 0);
  const cpuShare = share(until.cpuUs - from.cpuUs);
  const windowNs = untilNs - fromNs;
  const threads = tally.threadCpuNs.filter((cpuNs) => cpuNs !== undefined);
  const isWaitKnown = from.waitedUs !== null && until.waitedUs !== null;
  return {
    cpuUsPerMessage: tally.replies > 0 ? (cpuShare * windowNs) / 1000 / tally.replies : null,
    cpuPercent: 100 * cpuShare,
    busiestThreadPercent: threads.length > 0 ? (100 * Math.max(...threads)) / windowNs : null,
    lagUs: outlineOf(scenario).loop === "open" ? tally.lag.getValueAtPercentile(99) / 1000 : null,
    waitedPercent: isWaitKnown ? 100 * share((until.waitedUs ?? 0) - (from.waitedUs ?? 0)) : null,
    rssBytes: until.rssBytes,
    cpus: clientCpus,
  };
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
  // Samples are not taken at exactly the edges of the window, so the share is what counts.
  const sampledSeconds = (last.takenNs - first.takenNs) / 1e9;
  const cpuShare = Math.max(0, last.cpuSeconds - first.cpuSeconds) / sampledSeconds;
  const waitedSeconds = differenceOf(first.waitedSeconds, last.waitedSeconds);
  const receivedMessages = differenceOf(first.receivedMessages, last.receivedMessages);
  const buffered = server.samples.map(({ bufferedBytes }) => bufferedBytes).filter((bytes) => bytes !== null);
  // One replica of several has served a part of our messages, and what it costs is shared by that part.
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
      cpus: server.cpus,
    },
  };
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

export function generatorFigures({
  hiccups,
  dispersion,
}: Pick<Crew, "hiccups" | "dispersion">): Result["generator"] {
  return {
    hiccupUs:
      hiccups === undefined
        ? null
        : { p50: hiccups.p50Ns / 1000, p99: hiccups.p99Ns / 1000, max: hiccups.maxNs / 1000 },
    dispersion: dispersion ?? null,
  };
}

export function wireFigures({ wire }: Pick<Crew, "wire">): Result["wire"] {
  return wire === undefined ? null : { sentBytes: wire.sent, receivedBytes: wire.received };
}

export function connectFigures({ connects }: Pick<Crew, "connects">, scenario: Scenario): Connects | null {
  if (connects === undefined) {
    return null;
  }
  const opened = connects.stages.open.histogram.totalCount;
  const seconds = (connects.untilNs - connects.fromNs) / 1e9;
  const stage = (name: ConnectStage): Connects["open"] => {
    const { histogram, minNs, maxNs } = connects.stages[name];
    const latencyUs = latencyOf({ histogram, unitNs: 1 }, { min: minNs / 1000, max: maxNs / 1000 });
    return latencyUs === null ? null : { latencyUs, histogram: encodeHistogram(histogram, 1) };
  };
  return {
    askedPerSecond: scenario.kind === "websocket" ? (scenario.connectionsPerSecond ?? null) : null,
    perSecond: opened > 0 && seconds > 0 ? opened / seconds : null,
    compressed: connects.compressed,
    lag: stage("lag"),
    tcp: stage("tcp"),
    tls: stage("tls"),
    upgrade: stage("upgrade"),
    open: stage("open"),
    firstEcho: stage("firstEcho"),
  };
}
