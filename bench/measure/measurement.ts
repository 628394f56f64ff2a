// Turns tallies and samples into the figures of a Result. Pure.

import { randomUUID } from "node:crypto";
import type { Crew } from "../load/crew.ts";
import type { ErrorTally } from "../load/plan.ts";
import type { Span } from "../load/recorder.ts";
import { sumOfSteps, type Tally, type TimesTally } from "../load/tally.ts";
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
import { closesOf } from "./figures.ts";
import { boundedSeries, spansOf } from "./intervals.ts";
import { probeFigures } from "./probe.ts";
import { outlineOf, recordScenario, type Scenario, stepsOf as timelineOf } from "./scenario.ts";
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
  /** The actual measured window on the shared clock. */
  readonly fromNs: number;
  readonly untilNs: number;
  readonly clock: ClockOffset | undefined;
  readonly partialReason: string | null;
  readonly crew: Crew;
  /** The first measured step. */
  readonly firstStep: number;
  /** Spans of the measured steps that began. */
  readonly spans: readonly Span[];
  readonly watched: readonly Watched[];
  /** Requested connections. */
  readonly requested: number;
  readonly clientCpus: number[];
  readonly thresholds: readonly Threshold[];
}

const nanoseconds = { unitNs: 1 };

export function buildMeasurement(parts: MeasurementParts): Measurement {
  const { scenario, crew, environment, firstStep, watched } = parts;
  const { url, loop } = outlineOf(scenario);
  const tallies = watched.map((_, number) => crew.tally(0, firstStep + number));
  const tally = sumOfSteps(tallies);
  const isSteps = tallies.length > 1;
  const whole = watchedTogether(watched);
  const window = stepFigures(parts, tally, whole, parts);
  const series = seriesOf(parts, tally, whole.server);
  const spans = isSteps ? null : spansOf(tally);
  const figures = {
    ...window,
    probe: probeFigures(scenario, crew, firstStep),
    connections: connectionsOf(parts),
    errors: byKind(crew.errors, ({ count }) => count),
    firstErrors: byKind(crew.errors, ({ detail }) => detail),
    steadiness: steadinessOfSeries(isSteps ? [] : series),
  };
  const stepTally = crew.stepTallies(firstStep);
  const measurement: Measurement = {
    kind: resultKind,
    version: resultVersion,
    id: randomUUID(),
    command: null,
    autoWarmup: null,
    label: scenario.label,
    target: { url, local: parts.isLocal },
    engine: parts.engine,
    loop,
    latencyFrom: loop === "open" ? "intended-send" : "actual-send",
    scenario: recordScenario(scenario),
    window: { startedAt: parts.startedAt.toISOString(), seconds: (parts.untilNs - parts.fromNs) / 1e9 },
    clock: parts.clock ?? null,
    partial: parts.partialReason === null ? null : { reason: parts.partialReason },
    ...figures,
    generator: generatorFigures(stepTally, 0),
    connects: connectFigures(
      crew,
      0,
      scenario.kind === "websocket" ? (scenario.connectionsPerSecond ?? null) : null,
    ),
    wire: loop === "http" ? null : wireFigures(stepTally, 0),
    machine: machineFigures(whole),
    intervals: spans === null ? null : intervalsOf(spans),
    spans,
    parts: [],
    series: boundedSeries(series),
    steps: isSteps ? stepsOf(parts, tallies) : [],
    closes: closesOf(crew.tallies(0), parts.fromNs),
    thresholds: evaluateThresholds(parts.thresholds, figures),
    environment,
  };
  if (isSteps) {
    tally.destroy();
  }
  return measurement;
}

type StepFigures = Pick<Measurement, "summary" | "messages" | "client" | "server" | "histograms">;

/** Figures of a step or of the whole window. */
function stepFigures(
  { scenario, clientCpus }: MeasurementParts,
  tally: Tally,
  marks: Watched,
  { fromNs, untilNs }: Span,
): StepFigures {
  const { counters } = tally;
  const seconds = (untilNs - fromNs) / 1e9;
  const encoded = ({ histogram }: TimesTally) => encodeHistogram(histogram, nanoseconds.unitNs);
  const hasSchedule = outlineOf(scenario).loop === "open";
  return {
    summary: summaryOf(tally, seconds),
    messages: {
      due: counters.sent + counters.unsent,
      sent: counters.sent,
      unsent: counters.unsent,
      received: counters.answered,
      lost: counters.lost,
      corrupt: counters.corrupt,
    },
    client: clientFigures({ tallies: [tally], marks, clientCpus, fromNs, untilNs, hasSchedule }),
    ...serverPart(marks.server, counters.received, seconds),
    histograms: {
      latency: encoded(tally.times("latency")),
      service: encoded(tally.service),
      unsent: counters.unsent === 0 ? null : encoded(tally.times("unsentLatency")),
    },
  };
}

function stepsOf(parts: MeasurementParts, tallies: readonly Tally[]): Measurement["steps"] {
  const { scenario, firstStep, spans, watched, untilNs, fromNs } = parts;
  const described = timelineOf(scenario);
  return tallies.flatMap((tally, number) => {
    const span = spans[number];
    const marks = watched[number];
    if (span === undefined || marks === undefined || span.fromNs >= untilNs) {
      return [];
    }
    const end = Math.min(span.untilNs, untilNs);
    const { opened, failed, closed } = tally.counters;
    return [
      {
        name: described[firstStep + number]?.name ?? "",
        fromSeconds: (span.fromNs - fromNs) / 1e9,
        seconds: (end - span.fromNs) / 1e9,
        complete: end === span.untilNs,
        connections: { open: tally.openConnections, opened, failed, closedEarly: closed },
        ...stepFigures(parts, tally, marks, { fromNs: span.fromNs, untilNs: end }),
      },
    ];
  });
}

/** Merges adjacent steps. */
function watchedTogether(watched: readonly Watched[]): Watched {
  const [first] = watched;
  const last = watched.at(-1);
  if (first === undefined || last === undefined) {
    throw new RangeError("the measured window was not watched");
  }
  return {
    ...first,
    until: last.until,
    machine: { from: first.machine.from, until: last.machine.until },
    server: first.server && {
      ...first.server,
      samples: watched.flatMap(({ server }) => server?.samples ?? []),
    },
    isCutShort: last.isCutShort,
  };
}

function byKind<T>(errors: ErrorTally, value: (error: ErrorTally[string]) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(errors).map(([kind, error]) => [kind, value(error)]));
}

/** Connections of the whole run. Counts before the timeline are separate only for generators that open connections. */
function connectionsOf({ crew, requested }: MeasurementParts): Measurement["connections"] {
  const later = crew.tallies(0).slice(1);
  const sum = (name: "opened" | "failed" | "closed"): number =>
    later.reduce((total, { counters }) => total + counters[name], 0);
  // Excludes the probe's connections.
  const others = crew.groupCount > 1 ? crew.tally(1, -1).counters : { opened: 0, failed: 0 };
  return {
    requested,
    opened: crew.opened - others.opened + sum("opened"),
    failed: crew.failed - others.failed + sum("failed"),
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

function seriesOf({ fromNs }: MeasurementParts, tally: Tally, server: ServerRecord | undefined): Second[] {
  const series = tally.seconds.map((second, index): Second => {
    const startNs = tally.seconds[index - 1]?.endNs ?? 0;
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
    const takenSeconds = (sample.takenNs - fromNs) / 1e9 - 0.3;
    const second = series.find(({ endSeconds }) => endSeconds >= takenSeconds) ?? series.at(-1);
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
