// Reads service-level objectives, and judges a trial by one: it held, it failed, or the generator was not fit to say.

import { formatDurationUs, formatNumber, formatPercent } from "../../src/lib/format.ts";
import { UnitError } from "../../src/lib/units.ts";
import { isGeneratorLate, saturatedPercent, wasKeptUp, wasSent } from "./saturation.ts";
import type { Result } from "./schema.ts";
import type { TrialOutcome } from "./search.ts";
import {
  evaluateThresholds,
  formatActual,
  parseThreshold,
  type Threshold,
  thresholdMetrics,
  timeLimitUs,
} from "./threshold.ts";

/** Conditions that all have to hold. */
export interface Slo {
  /** As it was typed. */
  readonly expression: string;
  readonly thresholds: readonly Threshold[];
  /** The shortest time that it allows for a reply; undefined when it is about something else. */
  readonly limitUs: number | undefined;
}

/** Share of that time by which the generator may be late at p99. */
const lagShare = 0.2;
/** Share of the due messages that must be answered within the trial. */
const answeredShare = 0.99;
/** From here on a generator thread spins while it waits, so that its CPU time says nothing. */
const spinsFromPerSecond = 16_000;
/** Figures that do not get worse with more load, or that need more time than a trial. */
const unsuitable = new Set(["rate", "bytes", "due", "steady", "lag", "client.cpu"]);
/** The metrics that an objective can name. */
export const sloMetrics: readonly string[] = thresholdMetrics.filter(isSuitable);
/** Errors that are the generator's own. */
const ownErrors = new Map([
  ["out-of-descriptors", "the generator ran out of file descriptors"],
  ["out-of-ports", "the generator ran out of local ports"],
]);

/** A trial has no probes beside its load. */
function isSuitable(metric: string): boolean {
  return !unsuitable.has(metric) && !metric.startsWith("probe.");
}

/**
 * Reads an objective: thresholds separated by commas, as in `p99<5ms` or `within(5ms)>=99.9%,p99.9<20ms`.
 * @throws UnitError that says what is allowed
 */
export function parseSlo(expression: string): Slo {
  const thresholds = expression.split(",").map(parseThreshold);
  const wrong = thresholds.find(({ metric }) => !isSuitable(metric));
  if (wrong !== undefined) {
    throw new UnitError(
      `"${wrong.expression}" is not an objective: ${wrong.metric} is no figure of the target that gets worse with the load, or a trial is too short for it (allowed: ${sloMetrics.join(", ")})`,
    );
  }
  const limits = thresholds.map(timeLimitUs).filter((limitUs) => limitUs !== undefined);
  return {
    expression,
    thresholds,
    limitUs: limits.length === 0 ? undefined : Math.min(...limits),
  };
}

/**
 * A trial that held counts, even if the generator was late: the latency includes its lag. If a trial failed, the
 * generator may be the cause.
 */
export function judgeTrial(slo: Slo, result: Result): TrialOutcome {
  const fault = integrityFault(result) ?? sloFault(slo, result) ?? paceFault(result);
  if (fault === undefined) {
    return { state: "good", cause: null, reason: null };
  }
  const unfitness = unfitnessOf(slo, result);
  return unfitness === undefined
    ? { state: "bad", ...fault }
    : { state: "unfit", cause: "generator", reason: unfitness };
}

/** A trial of which there is no Result. @param errorKinds the errors that occurred */
export function judgeNothing(reason: string, errorKinds: readonly string[]): TrialOutcome {
  const own = ownError(errorKinds);
  return own === undefined
    ? { state: "bad", cause: "nothing", reason }
    : { state: "unfit", cause: "generator", reason: `${own} (${reason})` };
}

function ownError(kinds: readonly string[]): string | undefined {
  return kinds.flatMap((kind) => ownErrors.get(kind) ?? [])[0];
}

type Fault = Pick<TrialOutcome, "cause" | "reason">;

function integrityFault({ partial, connections, messages, errors }: Result): Fault | undefined {
  const { requested, opened, failed, closedEarly } = connections;
  if (partial !== null) {
    return { cause: "ended", reason: partial.reason };
  }
  if (failed + closedEarly > 0) {
    const parts = [
      failed > 0 && `${formatNumber(failed)} of ${formatNumber(requested)} connections failed`,
      closedEarly > 0 && `${formatNumber(closedEarly)} of ${formatNumber(opened)} connections closed early`,
    ];
    return { cause: "connections", reason: parts.filter((part) => part !== false).join(", ") };
  }
  if (messages.lost > 0) {
    return { cause: "lost", reason: `${formatNumber(messages.lost)} messages were lost` };
  }
  const kinds = Object.keys(errors);
  if (messages.corrupt > 0 || kinds.length > 0) {
    return {
      cause: "errors",
      reason: kinds.length > 0 ? `errors occurred: ${kinds.join(", ")}` : "replies were corrupt",
    };
  }
  return undefined;
}

function sloFault({ thresholds }: Slo, result: Result): Fault | undefined {
  const missed = evaluateThresholds(thresholds, result).find(({ passed }) => !passed);
  return missed === undefined
    ? undefined
    : { cause: "slo", reason: `${metricName(missed.expression)} was ${formatActual(missed)}` };
}

function metricName(expression: string): string {
  return /^\s*[a-z0-9.]+(?:\([^)]*\))?/i.exec(expression)?.[0].trim() ?? expression;
}

/** Whether due messages were sent, and answered at that rate. A closed loop has no due messages. */
function paceFault(result: Result): Fault | undefined {
  const { scenario, messages, summary, window } = result;
  if (scenario.ratePerSecond === null) {
    return undefined;
  }
  const missing = messages.due - summary.messagesPerSecond * window.seconds;
  if (!wasSent(result) || missing > Math.max(1, (1 - answeredShare) * messages.due)) {
    const due = messages.due / window.seconds;
    return {
      cause: "rate",
      reason: `${formatNumber(summary.messagesPerSecond)} replies/s came, ${formatNumber(due)} were due`,
    };
  }
  return wasKeptUp(result) ? undefined : { cause: "backlog", reason: "a backlog grew" };
}

/** Why the generator was not fit for this trial; undefined when it was. */
function unfitnessOf({ limitUs }: Slo, result: Result): string | undefined {
  const { client, scenario, errors } = result;
  const own = ownError(Object.keys(errors));
  if (own !== undefined) {
    return own;
  }
  const { lagUs, busiestThreadPercent } = client;
  const isLate = limitUs === undefined ? isGeneratorLate(result) : (lagUs ?? 0) >= lagShare * limitUs;
  if (isLate) {
    return `the generator itself was ${formatDurationUs(lagUs ?? 0)} late at p99`;
  }
  const doesSpin = (scenario.ratePerSecond ?? 0) / scenario.threads >= spinsFromPerSecond;
  return !doesSpin && busiestThreadPercent !== null && busiestThreadPercent >= saturatedPercent
    ? `the generator's busiest thread used ${formatPercent(busiestThreadPercent)} of a core`
    : undefined;
}
