// Turns tallies and samples into the figures of a Result. Pure.

import type { ErrorTally } from "../load/plan.ts";
import type { Tally } from "../load/tally.ts";
import { encodeHistogram, latencyOf } from "../result/histogram.ts";
import type { ServerFigures } from "../result/schema.ts";
import {
  type ClientFigures,
  type Environment,
  type Measurement,
  resultKind,
  resultVersion,
  type Second,
} from "../result/schema.ts";
import { evaluateThresholds, type Threshold } from "../result/threshold.ts";
import type { ServerSample } from "../target/sampler.ts";
import { outlineOf, recordScenario, type Scenario } from "./scenario.ts";

/** CPU time and memory of this process at one moment. */
export interface ClientMark {
  readonly takenNs: number;
  readonly cpuUs: number;
  readonly rssBytes: number;
}

/** The server over the window: a sample at its start, one each second, one at its end, as far as they could be had. */
export interface ServerRecord {
  readonly source: ServerFigures["source"];
  readonly cpus: number[] | null;
  readonly samples: readonly ServerSample[];
}

export interface MeasurementParts {
  readonly scenario: Scenario;
  readonly engine: Measurement["engine"];
  readonly isLocal: boolean;
  readonly environment: Environment;
  readonly startedAt: Date;
  /** The measured window on the shared clock, as it really was. */
  readonly fromNs: number;
  readonly untilNs: number;
  readonly partialReason: string | null;
  readonly tally: Tally;
  readonly connections: Measurement["connections"];
  readonly errors: ErrorTally;
  readonly clientCpus: number[];
  readonly clientMarks: { readonly from: ClientMark; readonly until: ClientMark };
  readonly server: ServerRecord | undefined;
  readonly thresholds: readonly Threshold[];
}

const nanoseconds = { unitNs: 1 };

export function buildMeasurement(parts: MeasurementParts): Measurement {
  const { scenario, tally, environment } = parts;
  const { url, loop } = outlineOf(scenario);
  const seconds = (parts.untilNs - parts.fromNs) / 1e9;
  const figures = {
    summary: summaryOf(tally, seconds),
    messages: { sent: tally.sent, received: tally.answered, lost: tally.lost, corrupt: tally.corrupt },
    connections: parts.connections,
    errors: Object.fromEntries(Object.entries(parts.errors).map(([kind, { count }]) => [kind, count])),
    client: clientFigures(parts),
    ...serverPart(parts.server, tally.replies / seconds),
  };
  return {
    kind: resultKind,
    version: resultVersion,
    label: scenario.label,
    target: { url, local: parts.isLocal },
    engine: parts.engine,
    loop,
    latencyFrom: loop === "open" ? "intended-send" : "actual-send",
    scenario: recordScenario(scenario),
    window: { startedAt: parts.startedAt.toISOString(), seconds },
    partial: parts.partialReason === null ? null : { reason: parts.partialReason },
    ...figures,
    series: seriesOf(parts),
    histograms: {
      latency: encodeHistogram(tally.latency.histogram, nanoseconds.unitNs),
      service: encodeHistogram(tally.service.histogram, nanoseconds.unitNs),
    },
    thresholds: evaluateThresholds(parts.thresholds, figures),
    environment,
  };
}

function summaryOf({ latency, service, replies, bytes }: Tally, seconds: number): Measurement["summary"] {
  const exact = ({ minNs, maxNs }: typeof latency) => ({ min: minNs / 1000, max: maxNs / 1000 });
  return {
    messagesPerSecond: replies / seconds,
    bytesPerSecond: bytes / seconds,
    latencyUs: latencyOf({ ...nanoseconds, histogram: latency.histogram }, exact(latency)),
    serviceUs: latencyOf({ ...nanoseconds, histogram: service.histogram }, exact(service)),
  };
}

/** CPU time is that of the whole process, with what it takes to wake up in time for a schedule. */
function clientFigures({
  tally,
  clientMarks,
  clientCpus,
  fromNs,
  untilNs,
  scenario,
}: MeasurementParts): ClientFigures {
  const { from, until } = clientMarks;
  const markedNs = until.takenNs - from.takenNs;
  const busyNs = Math.max(0, (until.cpuUs - from.cpuUs) * 1000);
  const cpuShare = markedNs > 0 ? busyNs / markedNs : 0;
  const windowNs = untilNs - fromNs;
  const threads = tally.threadCpuNs.filter((cpuNs) => cpuNs !== undefined);
  return {
    cpuUsPerMessage: tally.replies > 0 ? (cpuShare * windowNs) / 1000 / tally.replies : null,
    cpuPercent: 100 * cpuShare,
    busiestThreadPercent: threads.length > 0 ? (100 * Math.max(...threads)) / windowNs : null,
    lagUs: outlineOf(scenario).loop === "open" ? tally.lag.getValueAtPercentile(99) / 1000 : null,
    rssBytes: until.rssBytes,
    cpus: clientCpus,
  };
}

function serverPart(server: ServerRecord | undefined, messagesPerSecond: number): { server?: ServerFigures } {
  const first = server?.samples[0];
  const last = server?.samples.at(-1);
  if (server === undefined || first === undefined || last === undefined || last.takenNs <= first.takenNs) {
    return {};
  }
  // Samples are not taken at exactly the edges of the window, so the share is what counts.
  const cpuShare = (last.cpuSeconds - first.cpuSeconds) / ((last.takenNs - first.takenNs) / 1e9);
  const buffered = server.samples.map(({ bufferedBytes }) => bufferedBytes).filter((bytes) => bytes !== null);
  const isDropKnown = first.droppedMessages !== null && last.droppedMessages !== null;
  return {
    server: {
      source: server.source,
      cpuUsPerMessage: messagesPerSecond > 0 ? (cpuShare * 1e6) / messagesPerSecond : null,
      cpuPercent: 100 * cpuShare,
      workers: last.workers,
      rssBytes: last.rssBytes,
      maxBufferedBytes: buffered.length > 0 ? Math.max(...buffered) : null,
      droppedMessages: isDropKnown ? (last.droppedMessages ?? 0) - (first.droppedMessages ?? 0) : null,
      cpus: server.cpus,
    },
  };
}

function seriesOf({ tally, server, fromNs }: MeasurementParts): Second[] {
  const series = tally.seconds.map((second, index): Second => {
    const startNs = index * 1e9;
    const seconds = (second.endNs - startNs) / 1e9;
    const { latencyNs } = second;
    return {
      endSeconds: second.endNs / 1e9,
      messagesPerSecond: second.replies / seconds,
      bytesPerSecond: second.bytes / seconds,
      p50Us: latencyNs === undefined ? null : latencyNs.p50 / 1000,
      p99Us: latencyNs === undefined ? null : latencyNs.p99 / 1000,
      maxUs: latencyNs === undefined ? null : latencyNs.max / 1000,
      clientCpuPercent: second.cpuNs === undefined ? null : second.cpuNs / seconds / 1e7,
      serverCpuPercent: null,
      serverRssBytes: null,
      serverBufferedBytes: null,
    };
  });
  server?.samples.forEach((sample, i) => {
    const before = server.samples[i - 1];
    // A sample is taken a little after the second that it ends.
    const ended = Math.ceil((sample.takenNs - fromNs) / 1e9 - 0.3) - 1;
    const second = series[Math.max(0, ended)];
    if (before === undefined || second === undefined || sample.takenNs <= before.takenNs) {
      return;
    }
    const elapsedSeconds = (sample.takenNs - before.takenNs) / 1e9;
    second.serverCpuPercent = Math.max(0, (100 * (sample.cpuSeconds - before.cpuSeconds)) / elapsedSeconds);
    second.serverRssBytes = sample.rssBytes;
    second.serverBufferedBytes = sample.bufferedBytes;
  });
  return series;
}
