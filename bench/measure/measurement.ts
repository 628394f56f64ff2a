// Turns tallies and samples into the figures of a Result. Pure.

import { randomUUID } from "node:crypto";
import type { Crew } from "../load/crew.ts";
import type { ErrorTally } from "../load/plan.ts";
import type { Tally, TimesTally } from "../load/tally.ts";
import { encodeHistogram, latencyOf } from "../result/histogram.ts";
import {
  type Environment,
  type Measurement,
  resultKind,
  resultVersion,
  type Second,
} from "../result/schema.ts";
import { intervalsOf } from "../result/spans.ts";
import { steadinessOfSeries } from "../result/steadiness.ts";
import { evaluateThresholds, type Threshold } from "../result/threshold.ts";
import type { ClockOffset } from "../target/clock-offset.ts";
import { boundedSeries, spansOf } from "./intervals.ts";
import { outlineOf, recordScenario, type Scenario } from "./scenario.ts";
import {
  clientFigures,
  connectFigures,
  generatorFigures,
  machineFigures,
  type ServerRecord,
  serverPart,
  wireFigures,
} from "./usage.ts";
import type { Watched } from "./watch.ts";

export interface MeasurementParts {
  readonly scenario: Scenario;
  readonly engine: Measurement["engine"];
  readonly isLocal: boolean;
  readonly environment: Environment;
  readonly startedAt: Date;
  /** The measured window on the shared clock, as it really was. */
  readonly fromNs: number;
  readonly untilNs: number;
  readonly clock: ClockOffset | undefined;
  readonly partialReason: string | null;
  readonly crew: Crew;
  /** The measured step. */
  readonly step: number;
  /** Connections that were asked for. */
  readonly requested: number;
  readonly clientCpus: number[];
  readonly marks: Pick<Watched, "from" | "until" | "machine">;
  readonly server: ServerRecord | undefined;
  readonly thresholds: readonly Threshold[];
}

const nanoseconds = { unitNs: 1 };

export function buildMeasurement(parts: MeasurementParts): Measurement {
  const { scenario, crew, step, environment } = parts;
  const { url, loop } = outlineOf(scenario);
  const seconds = (parts.untilNs - parts.fromNs) / 1e9;
  const tally = crew.tally(0, step);
  const { counters } = tally;
  const series = seriesOf(parts, tally);
  const encoded = ({ histogram }: TimesTally) => encodeHistogram(histogram, nanoseconds.unitNs);
  const spans = spansOf(tally);
  const figures = {
    summary: summaryOf(tally, seconds),
    messages: {
      due: counters.sent + counters.unsent,
      sent: counters.sent,
      unsent: counters.unsent,
      received: counters.answered,
      lost: counters.lost,
      corrupt: counters.corrupt,
    },
    connections: connectionsOf(parts),
    errors: byKind(crew.errors, ({ count }) => count),
    firstErrors: byKind(crew.errors, ({ detail }) => detail),
    client: clientFigures({ ...parts, tallies: [tally], hasSchedule: loop === "open" }),
    ...serverPart(parts.server, counters.received, seconds),
    steadiness: steadinessOfSeries(series),
    histograms: {
      latency: encoded(tally.times("latency")),
      service: encoded(tally.service),
      unsent: counters.unsent === 0 ? null : encoded(tally.times("unsentLatency")),
    },
  };
  return {
    kind: resultKind,
    version: resultVersion,
    id: randomUUID(),
    command: null,
    label: scenario.label,
    target: { url, local: parts.isLocal },
    engine: parts.engine,
    loop,
    latencyFrom: loop === "open" ? "intended-send" : "actual-send",
    scenario: recordScenario(scenario),
    window: { startedAt: parts.startedAt.toISOString(), seconds },
    clock: parts.clock ?? null,
    partial: parts.partialReason === null ? null : { reason: parts.partialReason },
    ...figures,
    generator: generatorFigures(crew.stepTally(step), 0),
    connects: connectFigures(
      crew,
      0,
      scenario.kind === "websocket" ? (scenario.connectionsPerSecond ?? null) : null,
    ),
    wire: loop === "http" ? null : wireFigures(crew.stepTally(step), 0),
    machine: machineFigures(parts.marks),
    intervals: intervalsOf(spans),
    spans,
    parts: [],
    series: boundedSeries(series),
    thresholds: evaluateThresholds(parts.thresholds, figures),
    environment,
  };
}

function byKind<T>(errors: ErrorTally, value: (error: ErrorTally[string]) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(errors).map(([kind, error]) => [kind, value(error)]));
}

/** Of the whole run. What generators counted before the timeline is told apart only where they opened connections. */
function connectionsOf({ crew, requested }: MeasurementParts): Measurement["connections"] {
  const later = crew.tallies(0).slice(1);
  const sum = (name: "opened" | "failed" | "closed"): number =>
    later.reduce((total, { counters }) => total + counters[name], 0);
  return {
    requested,
    opened: crew.opened + sum("opened"),
    failed: crew.failed + sum("failed"),
    closedEarly: sum("closed") + (crew.tallies(0)[0]?.counters.closed ?? 0),
  };
}

function summaryOf(tally: Tally, seconds: number): Measurement["summary"] {
  const { counters } = tally;
  const figures = ({ histogram, minNs, maxNs }: TimesTally) =>
    latencyOf({ ...nanoseconds, histogram }, { min: minNs / 1000, max: maxNs / 1000 });
  return {
    messagesPerSecond: counters.received / seconds,
    bytesPerSecond: counters.receivedBytes / seconds,
    latencyUs: figures(tally.times("latency")),
    serviceUs: figures(tally.service),
  };
}

function seriesOf({ server, fromNs }: MeasurementParts, tally: Tally): Second[] {
  const series = tally.seconds.map((second, index): Second => {
    const startNs = index * 1e9;
    const seconds = (second.endNs - startNs) / 1e9;
    const { latencyNs } = second;
    return {
      endSeconds: second.endNs / 1e9,
      messagesPerSecond: second.counters.received / seconds,
      bytesPerSecond: second.counters.receivedBytes / seconds,
      p50Us: latencyNs === undefined ? null : latencyNs.p50 / 1000,
      p99Us: latencyNs === undefined ? null : latencyNs.p99 / 1000,
      maxUs: latencyNs === undefined ? null : latencyNs.max / 1000,
      lagP99Us: second.lagNs === undefined ? null : second.lagNs / 1000,
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
