// Describes the outcome of an overrun. Pure.
import { formatBytes, formatElapsed, formatNumber } from "../../lib/format.ts";

export interface OverrunProgress {
  /** Bytes that the browser has not sent: `bufferedAmount`, or the unwritten bytes of a stream. */
  readonly waitingBytes: number;
  readonly peakBytes: number;
  readonly sent: number;
  readonly echoed: number;
  readonly elapsedMs: number;
  readonly isOver: boolean;
  /** The close code; undefined while it runs or if the browser does not report it. */
  readonly closeCode: number | undefined;
}

export interface OverrunFacts {
  readonly progress: OverrunProgress;
  readonly messages: number;
  /** True when the echoes were left unread. */
  readonly unread: boolean;
  /** The maximum that the server reported as buffered; undefined if its metrics cannot be read. */
  readonly serverPeakBytes: number | undefined;
  /** Echoes that the server counted as dropped in the meantime. */
  readonly serverDrops: number | undefined;
}

export function describeOutcome(facts: OverrunFacts): string {
  const { progress, messages } = facts;
  const after = formatElapsed(progress.elapsedMs);
  const held =
    facts.serverPeakBytes === undefined
      ? ""
      : ` The server buffered at most ${formatBytes(facts.serverPeakBytes)}.`;
  if (progress.closeCode === 1006) {
    return facts.unread
      ? `The server cut the connection after ${after}: too many bytes were buffered for a reader that does not read (its policy is to close).${held}`
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
