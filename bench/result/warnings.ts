// Writes the warnings of a Result.

import { formatDurationUs, formatNumber, formatPercent } from "../../src/lib/format.ts";
import { noiseWarning } from "./noise.ts";
import { outlyingParts } from "./parts.ts";
import {
  hadBacklog,
  isServerBusy,
  saturatedPercent,
  serverUsePercent,
  wasKeptUp,
  wasSent,
} from "./saturation.ts";
import type { Measurement, Verdict } from "./schema.ts";

/** Share of the p99 latency from which on the generator's lag gets a warning. */
const largeLagShare = 0.2;
/** A percentile is reliable if at least this many messages lie beyond it. */
const messagesBeyondPercentile = 10;
/** A closed loop's slowest reply is a sign of a stall at this many times the median, and at least this latency. */
const stallSign = { timesMedian: 20, leastUs: 50_000 };
/** The generator of a closed loop was held up: at least for this time, and this share of the slowest reply. */
const hiccupSign = { leastUs: 20_000, shareOfSlowest: 0.5 };
/** Index of dispersion above which messages were sent in bursts, by the requested arrivals. */
const burstsFrom = { even: 1, poisson: 2 };
/** Part of our messages that a server has to have seen, to be all of the target. */
const wholeShare = 0.9;

/** All warnings, the most severe first. */
export function warningsOf(measurement: Measurement, verdict: Verdict): string[] {
  return [
    ...integrityWarnings(measurement),
    ...loadWarnings(measurement, verdict),
    ...generatorWarnings(measurement),
    ...serverWarnings(measurement),
    ...outlyingParts(measurement.parts),
    ...precisionWarnings(measurement),
  ].filter((warning) => warning !== null);
}

type Warnings = (string | null)[];

function integrityWarnings(measurement: Measurement): Warnings {
  const { messages, connections, errors, partial, window } = measurement;
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
      : `${share(messages.corrupt, messages.received, "messages")} were corrupt: the result is invalid.`,
    messages.received === 0 ? "No replies were received, so nothing could be measured." : null,
    connections.failed === 0
      ? null
      : `${share(connections.failed, connections.requested, "connections")} could not be opened.`,
    closedEarlyWarning(measurement),
    kinds.length === 0 ? null : `Errors occurred (${kinds.join(", ")}).`,
  ];
}

function closedEarlyWarning({ connections, target }: Measurement): string | null {
  const { closedEarly, opened } = connections;
  if (closedEarly === 0) {
    return null;
  }
  // autocannon opens each of them again.
  return target.url.startsWith("http")
    ? `The target closed connections ${formatNumber(closedEarly)} times: it may limit the requests on a connection, or of an address.`
    : `${share(closedEarly, opened, "connections")} closed early, so the load was lower than requested.`;
}

function loadWarnings(measurement: Measurement, verdict: Verdict): Warnings {
  const { summary, scenario, messages, window } = measurement;
  const isOpen = scenario.ratePerSecond !== null;
  return [
    verdict === "client-bound"
      ? `The generator was the bottleneck${busyThread(measurement)}: the target can do more (try more --threads).`
      : null,
    saturationWarning(measurement, verdict),
    isOpen && !wasSent(measurement)
      ? `${share(messages.unsent, messages.due, "messages")} that were due could not be sent: the target did not accept more. ` +
        "The latency includes their wait until the end of the window."
      : null,
    isOpen && wasSent(measurement) && !wasKeptUp(measurement)
      ? `The target did not keep up: ${formatNumber(summary.messagesPerSecond)} replies/s arrived, ` +
        `${formatNumber(messages.due / window.seconds)} were due, so latency is that of a growing queue.`
      : null,
    isOpen && hadBacklog(measurement)
      ? `More replies arrived than messages were due (${formatNumber(summary.messagesPerSecond)} per second, ` +
        `${formatNumber(messages.due / window.seconds)} due): the target was working off a backlog from the warm-up.`
      : null,
    steadinessWarning(measurement),
    noiseWarning(measurement),
    sharedCoreWarning(measurement),
  ];
}

const changes = {
  "warming-up": "The target was still warming up",
  "slowing-down": "The target was slowing down",
  unsteady: "The run was not steady",
};

function steadinessWarning({ steadiness }: Measurement): string | null {
  const { verdict, changedAtSeconds, figure, factor } = steadiness;
  return verdict === "steady" || verdict === "too-short" || factor === null
    ? null
    : `${changes[verdict]}: ${figure} changed at ${changedAtSeconds?.toFixed(0)} s, ` +
        `${formatPercent(100 * Math.abs(factor - 1))} ${factor > 1 ? "up" : "down"} from the first level to the last.`;
}

/** Warnings about the generator's influence on the figures. */
function generatorWarnings(measurement: Measurement): Warnings {
  const { summary, client, generator, scenario, connects, connections } = measurement;
  const { latencyUs } = summary;
  const hiccupUs = generator?.hiccupUs?.max ?? 0;
  const dispersion = generator?.dispersion ?? 0;
  return [
    client.lagUs !== null && latencyUs !== null && client.lagUs > largeLagShare * latencyUs.p99
      ? `The generator's own lag is a large part of the latency: its p99 is ${formatDurationUs(client.lagUs)}, ` +
        `that of the latency ${formatDurationUs(latencyUs.p99)}.`
      : null,
    latencyUs !== null &&
    hiccupUs >= hiccupSign.leastUs &&
    hiccupUs >= hiccupSign.shareOfSlowest * latencyUs.max
      ? `The generator itself was held up for ${formatDurationUs(hiccupUs)}, which may explain the slowest replies.`
      : null,
    scenario.arrivals !== null && wasSent(measurement) && dispersion > burstsFrom[scenario.arrivals]
      ? `Messages were sent in bursts: the index of dispersion was ${dispersion.toFixed(1)}, where ${scenario.arrivals} ` +
        `arrivals have ${scenario.arrivals === "even" ? 0 : 1}.`
      : null,
    scenario.compression && connects !== null
      ? declinedCompression(connections.opened, connects.compressed)
      : null,
  ];
}

/** Warns of connections that are not compressed, where compression was offered on all. */
export function declinedCompression(opened: number, compressed: number): string | null {
  return compressed < opened
    ? `permessage-deflate was offered, but declined on ${share(opened - compressed, opened, "connections")}: they were not compressed.`
    : null;
}

/** Warns of replicas whose metrics are missing; null if there is none. */
export function silentReplicas(addresses: readonly string[]): string | null {
  return addresses.length === 0
    ? null
    : `The metrics of ${addresses.join(", ")} could not always be read, so the server's figures do not contain all of it.`;
}

/** Warnings about figures that the server's page does not show. */
function serverWarnings(measurement: Measurement): Warnings {
  const { server, summary, window } = measurement;
  if (server === undefined) {
    return [];
  }
  const { replicas, receivedMessages, silent = [] } = server;
  const replies = Math.round(summary.messagesPerSecond * window.seconds);
  return [
    silentReplicas(silent),
    replicas > 1
      ? `${replicas} different processes served the target's metrics (it is behind a balancer), so its CPU time is unknown.`
      : null,
    replicas === 1 &&
    receivedMessages !== null &&
    receivedMessages < wholeShare * replies &&
    !hadBacklog(measurement)
      ? `The target's metrics count only ${share(receivedMessages, replies, "messages")}: they are of one replica ` +
        "of several, and so are its CPU and memory."
      : null,
  ];
}

/** In a closed loop, a target that is not busy has not reached its limit. */
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
  if (isServerBusy(measurement)) {
    return null;
  }
  const waited = measurement.server?.waitedPercent ?? 0;
  return use + waited >= saturatedPercent
    ? `The target was starved: it used ${formatPercent(use)} of a CPU and waited for one ${formatPercent(waited)} of the time, ` +
        "so this is the machine's limit, not the target's."
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

function busyThread({ client }: Measurement): string {
  return client.busiestThreadPercent === null
    ? ""
    : ` (its busiest thread used ${formatPercent(client.busiestThreadPercent)} of a core)`;
}

function share(part: number, whole: number, what: string): string {
  return `${formatNumber(part)} of ${formatNumber(whole)} ${what}`;
}
