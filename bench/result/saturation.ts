// Who was busy, and whether what was due was done: what verdict and warnings both look at. Pure functions of the figures.

import type { Measurement } from "./schema.ts";

/** Use of what it may use from which on a thread or a server counts as fully busy, in per cent. */
export const saturatedPercent = 90;
/** Part of the due messages that has to leave, and in the end to be answered as fast as it is due. */
const keptShare = 0.99;
/** Standard deviations of a random count that are put down to chance. */
const chance = 3;
/** Part of the window by which a generator has to be late for its lag to set the pace. */
const lateShare = 0.01;

/**
 * How much of what it could do the server did, in per cent; null when unknown. One busy thread is a limit by itself:
 * the other cores do not help it.
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

/** Only in a loop without a schedule: one that keeps a schedule may spin while it waits, and be busy with nothing. */
export function isClientBusy({ client }: Measurement): boolean {
  return (client.busiestThreadPercent ?? client.cpuPercent) >= saturatedPercent;
}

/** The generator sent what was due, but by far too late. */
export function isGeneratorLate({ client, window }: Measurement): boolean {
  return client.lagUs !== null && client.lagUs >= lateShare * window.seconds * 1e6;
}

/** The target let us send what was due. */
export function wasSent({ messages }: Measurement): boolean {
  return messages.sent >= keptShare * messages.due;
}

/**
 * Whether replies came as fast as messages were due, once they came: the last third of the window tells a target that
 * falls behind from one that answers after a constant delay. True when no reply came by then.
 */
export function wasKeptUp({ messages, series, window }: Measurement): boolean {
  const last = series.slice(-Math.max(1, Math.floor(series.length / 3)));
  const fromSeconds = series.at(-last.length - 1)?.endSeconds ?? 0;
  const seconds = window.seconds - fromSeconds;
  const replies = last.reduce((sum, second, i) => {
    const startSeconds = last[i - 1]?.endSeconds ?? fromSeconds;
    return sum + second.messagesPerSecond * (second.endSeconds - startSeconds);
  }, 0);
  const due = (messages.due / window.seconds) * seconds;
  return replies === 0 || replies >= keptShare * due - chance * Math.sqrt(due) - 1;
}

/** More replies came than were due, and not by chance: of a backlog from the warm-up. */
export function hadBacklog({ messages, summary, window }: Measurement): boolean {
  const replies = summary.messagesPerSecond * window.seconds;
  return replies > 1.05 * messages.due + chance * Math.sqrt(messages.due) + 1;
}
