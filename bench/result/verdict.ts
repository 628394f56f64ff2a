// Judges a measurement: failures, warnings and the bottleneck. Pure.

import { formatNumber } from "../../src/lib/format.ts";
import { isClientBusy, isGeneratorLate, isServerBusy, wasKeptUp, wasSent } from "./saturation.ts";
import type { Measurement, Result, Verdict } from "./schema.ts";
import { formatActual } from "./threshold.ts";
import { warningsOf } from "./warnings.ts";

/** The measurement with its failures, warnings and verdict. */
export function judge(measurement: Measurement): Result {
  const verdict = verdictOf(measurement);
  return {
    ...measurement,
    failures: failuresOf(measurement),
    warnings: warningsOf(measurement, verdict),
    verdict,
  };
}

/**
 * Determines the bottleneck. `invalid`: the figures are meaningless. `client-bound`: they are the generator's limit.
 * `server-bound`: the target's limit. `rate-limited`: the requested rate. `idle`: neither side was busy. An open loop is
 * judged by the messages due and sent, because the number of replies in the window depends on its edges.
 */
function verdictOf(measurement: Measurement): Verdict {
  if (isVoid(measurement)) {
    return "invalid";
  }
  if (measurement.scenario.ratePerSecond === null) {
    if (isClientBusy(measurement)) {
      return "client-bound";
    }
    return isServerBusy(measurement) ? "server-bound" : "idle";
  }
  if (!wasSent(measurement)) {
    return "server-bound"; // It took no more.
  }
  if (wasKeptUp(measurement)) {
    return isGeneratorLate(measurement) ? "client-bound" : "rate-limited";
  }
  return isServerBusy(measurement) || !isGeneratorLate(measurement) ? "server-bound" : "client-bound";
}

/** Replies match no message, or messages are missing: no figure is reliable. */
function isVoid({ messages, connections, errors }: Measurement): boolean {
  return (
    messages.received === 0 ||
    messages.lost > 0 ||
    messages.corrupt > 0 ||
    connections.failed > 0 ||
    connections.closedEarly > 0 ||
    Object.keys(errors).length > 0
  );
}

/** Why a measurement must not be used, one sentence each; empty if it may. Any of them means exit code 1. */
export function failuresOf(measurement: Measurement): string[] {
  const missed = measurement.thresholds.filter(({ passed }) => !passed);
  return [
    ...unsoundness(measurement),
    ...missed.map(
      (threshold) => `threshold ${threshold.expression} was not met: it was ${formatActual(threshold)}`,
    ),
  ];
}

function probeProblems(probe: Measurement["probe"]): string[] {
  if (probe === null) {
    return [];
  }
  const { lost, corrupt, unsent } = probe.messages;
  const missing = probe.connections - probe.opened;
  return [
    missing > 0 && `${formatNumber(missing)} connections of the probe failed`,
    lost > 0 && `${formatNumber(lost)} messages of the probe were lost`,
    unsent > 0 && `${formatNumber(unsent)} messages of the probe could not be sent`,
    corrupt > 0 && `${formatNumber(corrupt)} messages of the probe were corrupt`,
  ].filter((sentence) => sentence !== false);
}

/** What is wrong with a measurement, whatever it was held against; empty when nothing is. */
export function unsoundness({
  messages,
  connections,
  errors,
  partial,
  probe,
}: Pick<Measurement, "messages" | "connections" | "errors" | "partial" | "probe">): string[] {
  const errorCount = Object.values(errors).reduce((sum, count) => sum + count, 0);
  return [
    partial !== null && `the run ended early: ${partial.reason}`,
    messages.received === 0 && "no replies were received",
    messages.lost > 0 && `${formatNumber(messages.lost)} messages were lost`,
    messages.unsent > 0 &&
      `${formatNumber(messages.unsent)} of ${formatNumber(messages.due)} messages that were due could not be sent`,
    messages.corrupt > 0 && `${formatNumber(messages.corrupt)} messages were corrupt`,
    connections.failed > 0 && `${formatNumber(connections.failed)} connections failed`,
    ...probeProblems(probe),
    errorCount > 0 && `${formatNumber(errorCount)} errors occurred`,
  ].filter((sentence) => sentence !== false);
}
