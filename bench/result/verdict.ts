// Judges a measurement: warnings, the bottleneck, and whether its figures may be used. Pure.

import { formatDurationUs, formatNumber, formatPercent } from "../../src/lib/format.ts";
import type { Measurement, Result, Verdict } from "./schema.ts";
import { formatActual } from "./threshold.ts";

/** Use of what it may use from which on a thread or a server counts as fully busy, in per cent. */
const saturatedPercent = 90;
/** Share of the asked rate that has to be reached. */
const reachedShare = 0.99;
/** Share of the asked rate beyond which replies were not only to what was asked, nor by chance. */
const backlogShare = 1.05;
/** Part of the p99 latency from which on the generator's own lag is worth a warning. */
const largeLagShare = 0.2;
/** A percentile is believed when at least this many messages lie beyond it. */
const messagesBeyondPercentile = 10;
/** How many times the median a closed loop's slowest reply has to be to look like a stall, and how slow at least. */
const stallSign = { timesMedian: 20, leastUs: 50_000 };

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
 * Who set the pace. `invalid`: the figures mean nothing. `client-bound`: they are the generator's limit.
 * `server-bound`: the target's. `rate-limited`: the asked rate's. `idle`: nobody was shown to be busy.
 */
function verdictOf(measurement: Measurement): Verdict {
  const { messages } = measurement;
  if (messages.received === 0 || messages.lost > 0 || messages.corrupt > 0) {
    return "invalid";
  }
  const server = serverUsePercent(measurement);
  const serverBusy = server !== null && server >= saturatedPercent;
  const { ratePerSecond } = measurement.scenario;
  if (ratePerSecond === null) {
    if (clientBusy(measurement)) {
      return "client-bound";
    }
    return serverBusy ? "server-bound" : "idle";
  }
  if (rateReached(measurement)) {
    return "rate-limited";
  }
  // Short of the rate: either we sent too late, or the replies did not keep up with what was sent.
  const sentPerSecond = messages.sent / measurement.window.seconds;
  return serverBusy || sentPerSecond >= reachedShare * ratePerSecond ? "server-bound" : "client-bound";
}

/** Why a measurement must not be used, one sentence each; empty when it may. Any of them means exit code 1. */
export function failuresOf({ messages, connections, errors, thresholds, partial }: Measurement): string[] {
  const errorCount = Object.values(errors).reduce((sum, count) => sum + count, 0);
  return [
    partial !== null && `the run ended early: ${partial.reason}`,
    messages.received === 0 && "no message came back",
    messages.lost > 0 && `${formatNumber(messages.lost)} messages were lost`,
    messages.corrupt > 0 && `${formatNumber(messages.corrupt)} messages were corrupt`,
    connections.failed > 0 && `${formatNumber(connections.failed)} connections failed`,
    errorCount > 0 && `${formatNumber(errorCount)} errors occurred`,
    ...thresholds.map(
      (threshold) =>
        !threshold.passed &&
        `threshold ${threshold.expression} was not met: it was ${formatActual(threshold)}`,
    ),
  ].filter((sentence) => sentence !== false);
}

/** Everything that a reader of the figures has to know, the gravest first. */
function warningsOf(measurement: Measurement, verdict: Verdict): string[] {
  return [
    ...integrityWarnings(measurement),
    ...loadWarnings(measurement, verdict),
    ...precisionWarnings(measurement),
  ].filter((warning) => warning !== null);
}

type Warnings = (string | null)[];

function integrityWarnings({ messages, connections, errors, partial, window }: Measurement): Warnings {
  const kinds = Object.entries(errors).map(([kind, count]) => `${kind}: ${formatNumber(count)}`);
  return [
    partial === null
      ? null
      : `The run ended early (${partial.reason}): the figures cover ${window.seconds.toFixed(1)} s.`,
    messages.lost === 0
      ? null
      : `${share(messages.lost, messages.sent, "messages")} were lost: the result is invalid.`,
    messages.corrupt === 0
      ? null
      : `${share(messages.corrupt, messages.received, "messages")} came back corrupt: the result is invalid.`,
    messages.received === 0 ? "No message came back, so nothing could be measured." : null,
    connections.failed === 0
      ? null
      : `${share(connections.failed, connections.requested, "connections")} could not be opened.`,
    connections.closedEarly === 0
      ? null
      : `${share(connections.closedEarly, connections.opened, "connections")} closed early, so the load was lower than requested.`,
    kinds.length === 0 ? null : `Errors occurred (${kinds.join(", ")}).`,
  ];
}

function loadWarnings(measurement: Measurement, verdict: Verdict): Warnings {
  const { summary, scenario, client } = measurement;
  const { ratePerSecond } = scenario;
  return [
    verdict === "client-bound"
      ? `The generator was the bottleneck${busyThread(measurement)}: the target can do more (try more --threads).`
      : null,
    saturationWarning(measurement, verdict),
    ratePerSecond === null || rateReached(measurement)
      ? null
      : `The requested rate was not reached: ${formatNumber(summary.messagesPerSecond)} of ${formatNumber(ratePerSecond)} ` +
        `messages/s (${formatPercent((100 * summary.messagesPerSecond) / ratePerSecond)}).`,
    ratePerSecond !== null && summary.messagesPerSecond > backlogShare * ratePerSecond
      ? `More replies came than messages were due (${formatNumber(summary.messagesPerSecond)} per second, ` +
        `${formatNumber(ratePerSecond)} requested): the target was working off a backlog from the warm-up.`
      : null,
    client.lagUs !== null &&
    summary.latencyUs !== null &&
    client.lagUs > largeLagShare * summary.latencyUs.p99
      ? `The generator's own lag is a large part of the latency: its p99 is ${formatDurationUs(client.lagUs)}, ` +
        `that of the latency ${formatDurationUs(summary.latencyUs.p99)}.`
      : null,
    sharedCoreWarning(measurement),
  ];
}

/** In a closed loop a target that had time to spare has not shown what it can do. */
function saturationWarning(measurement: Measurement, verdict: Verdict): string | null {
  if (measurement.scenario.ratePerSecond !== null || verdict === "invalid") {
    return null;
  }
  const use = serverUsePercent(measurement);
  if (use === null) {
    return measurement.loop === "http"
      ? null
      : "Whether the target was saturated is unknown: its CPU time could not be read (give --pid or --metrics-url).";
  }
  return use >= saturatedPercent
    ? null
    : `The target was not saturated: it used ${formatPercent(use)} of the CPU available to it, so this is not its limit.`;
}

function sharedCoreWarning({ client, server }: Measurement): string | null {
  if (server?.cpus == null || server.cpuPercent === null) {
    return null;
  }
  const theirs = new Set(server.cpus);
  const shared = client.cpus.filter((cpu) => theirs.has(cpu));
  const together = new Set([...client.cpus, ...server.cpus]).size;
  const used = client.cpuPercent + server.cpuPercent;
  if (shared.length === 0 || used < saturatedPercent * together) {
    return null;
  }
  return (
    `Client and server share ${shared.length === 1 ? `core ${shared[0]}` : `cores ${shared.join(", ")}`} and together used ` +
    `${formatPercent(used)} of ${together} x 100 %: each slowed the other down (pin them apart with taskset).`
  );
}

function precisionWarnings({ summary, messages, loop }: Measurement): Warnings {
  const { latencyUs } = summary;
  if (latencyUs === null) {
    return [];
  }
  const believed = [99.99, 99.9, 99, 90].find(
    (percentile) => messages.received * (1 - percentile / 100) >= messagesBeyondPercentile,
  );
  const stalled =
    loop === "closed" &&
    latencyUs.max >= stallSign.leastUs &&
    latencyUs.max >= stallSign.timesMedian * latencyUs.p50;
  return [
    believed === 99.99
      ? null
      : `The run was too short for its highest percentiles: with ${formatNumber(messages.received)} messages, believe ` +
        `${believed === undefined ? "none of them" : `none above p${believed}`}.`,
    stalled
      ? `The slowest reply took ${formatDurationUs(latencyUs.max)}: a closed loop stops sending while the target stalls, ` +
        "so its percentiles hide how many messages a stall delays (measure with --rate)."
      : null,
  ];
}

/** CPU that the server used, in per cent of what it could use; null when unknown. */
function serverUsePercent({ server }: Measurement): number | null {
  if (server?.cpuPercent == null) {
    return null;
  }
  return (
    server.cpuPercent / Math.max(1, Math.min(server.workers, server.cpus?.length ?? Number.POSITIVE_INFINITY))
  );
}

/** Only in a loop without a schedule: one that keeps a schedule may spin while it waits, and be busy with nothing. */
function clientBusy({ client }: Measurement): boolean {
  return (client.busiestThreadPercent ?? client.cpuPercent) >= saturatedPercent;
}

function busyThread({ client }: Measurement): string {
  return client.busiestThreadPercent === null
    ? ""
    : ` (its busiest thread used ${formatPercent(client.busiestThreadPercent)} of a core)`;
}

function rateReached({ summary, scenario }: Measurement): boolean {
  return summary.messagesPerSecond >= reachedShare * (scenario.ratePerSecond ?? 0);
}

function share(part: number, whole: number, what: string): string {
  return `${formatNumber(part)} of ${formatNumber(whole)} ${what}`;
}
