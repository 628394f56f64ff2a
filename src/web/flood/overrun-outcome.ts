// Describes the outcome of an overrun. Pure.
import { formatBytes, formatElapsed, formatNumber } from "../../lib/format.ts";

export interface OverrunProgress {
  /** Octets handed to the browser that it has not handed on: `bufferedAmount`, or what a stream has not taken. */
  readonly waitingBytes: number;
  readonly peakBytes: number;
  readonly sent: number;
  readonly echoed: number;
  readonly elapsedMs: number;
  readonly isOver: boolean;
  /** The code with which it ended; undefined while it runs or when the browser does not tell. */
  readonly closeCode: number | undefined;
}

export interface OverrunFacts {
  readonly progress: OverrunProgress;
  readonly messages: number;
  /** True when the echoes were left unread. */
  readonly unread: boolean;
  /** The most that the server said it had buffered; undefined when its numbers cannot be read. */
  readonly serverPeakBytes: number | undefined;
  /** Echoes that the server counted as dropped meanwhile. */
  readonly serverDrops: number | undefined;
}

export function describeOutcome(facts: OverrunFacts): string {
  const { progress, messages } = facts;
  const after = formatElapsed(progress.elapsedMs);
  const held =
    facts.serverPeakBytes === undefined
      ? ""
      : ` At most ${formatBytes(facts.serverPeakBytes)} waited inside the server.`;
  if (progress.closeCode === 1006) {
    return facts.unread
      ? `The server cut the connection after ${after}: too much waited for a reader that took nothing (its policy is to close).${held}`
      : `The connection was cut after ${after} (1006).${held}`;
  }
  const drops = facts.serverDrops ?? 0;
  if (drops > 0) {
    return `The server dropped ${formatNumber(drops)} echoes and kept the connection (its policy is to drop).${held}`;
  }
  if (progress.echoed === messages) {
    const where = facts.unread
      ? "once they were read"
      : `while bufferedAmount drained from ${formatBytes(progress.peakBytes)}`;
    return `All ${formatNumber(messages)} echoes came back in ${after}, ${where}: nothing was lost.${held}`;
  }
  return `Ended after ${after} with ${formatNumber(progress.echoed)} of ${formatNumber(messages)} echoes.${held}`;
}
