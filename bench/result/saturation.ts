// Decides which side was busy, and whether due messages were sent and answered, for verdict and warnings. Pure.

import type { Measurement } from "./schema.ts";

/** Share of the available CPU from which on a thread or a server is busy, in per cent. */
export const saturatedPercent = 90;
/** Share of the due messages that must be sent, and answered at the rate at which they are due. */
const keptShare = 0.99;
/** Standard deviations of a random count that are attributed to chance. */
const chance = 3;
/** Share of the window by which a generator must be late to be the bottleneck. */
const lateShare = 0.01;

/**
 * The server's use of its available CPU, in per cent; null if unknown. One busy thread is a limit by itself, because the
 * other cores do not help it.
 */
export function serverUsePercent({ server }: Pick<Measurement, "server">): number | null {
  if (server?.cpuPercent == null) {
    return null;
  }
  const ofCores = server.cpus === null ? null : server.cpuPercent / Math.max(1, server.cpus.length);
  return ofCores === null && server.busiestThreadPercent === null
    ? null
    : Math.max(ofCores ?? 0, server.busiestThreadPercent ?? 0);
}

export function isServerBusy(measurement: Pick<Measurement, "server">): boolean {
  return (serverUsePercent(measurement) ?? 0) >= saturatedPercent;
}

/** Only for a closed loop: an open loop may be busy because it spins while it waits. */
export function isClientBusy({ client }: Measurement): boolean {
  return (client.busiestThreadPercent ?? client.cpuPercent) >= saturatedPercent;
}

/** The generator sent the due messages, but far too late. */
export function isGeneratorLate({ client, window }: Measurement): boolean {
  return client.lagUs !== null && client.lagUs >= lateShare * window.seconds * 1e6;
}

/** The target accepted the due messages. */
export function wasSent({ messages }: Measurement): boolean {
  return messages.sent >= keptShare * messages.due;
}

/**
 * Whether replies arrived as fast as messages were due. The last third of the window distinguishes a target that falls
 * behind from one with a constant delay. True if no reply arrived by then.
 */
export function wasKeptUp({ messages, series, window, steps }: Measurement): boolean {
  const lastStep = steps.at(-1);
  if (lastStep !== undefined) {
    // Stages differ in what is due: the last one shows whether a backlog was left.
    const came = lastStep.summary.messagesPerSecond * lastStep.seconds;
    return isKept(came, lastStep.messages.due);
  }
  const last = series.slice(-Math.max(1, Math.floor(series.length / 3)));
  const fromSeconds = series.at(-last.length - 1)?.endSeconds ?? 0;
  const seconds = window.seconds - fromSeconds;
  const replies = last.reduce((sum, second, i) => {
    const startSeconds = last[i - 1]?.endSeconds ?? fromSeconds;
    return sum + second.messagesPerSecond * (second.endSeconds - startSeconds);
  }, 0);
  const due = (messages.due / window.seconds) * seconds;
  return isKept(replies, due);
}

function isKept(replies: number, due: number): boolean {
  return replies === 0 || replies >= keptShare * due - chance * Math.sqrt(due) - 1;
}

/** More replies arrived than messages were due, beyond chance: from a backlog of the warm-up. */
export function hadBacklog({ messages, summary, window }: Measurement): boolean {
  const replies = summary.messagesPerSecond * window.seconds;
  return replies > 1.05 * messages.due + chance * Math.sqrt(messages.due) + 1;
}
