// Shows the progress of a run as one live line on a terminal.

import { SingleBar } from "cli-progress";
import { formatDurationUs, formatElapsed, formatNumber } from "../../src/lib/format.ts";
import type { Progress } from "../measure/measure.ts";
import type { SessionProgress } from "../measure/session.ts";
import type { CheckProgress } from "../probe/run.ts";

/** Time until the end. */
interface Timed {
  readonly leftMs: number;
  readonly totalMs: number;
}

/** Shows the progress of a measurement. */
export interface ProgressLine<T extends Timed = Progress> {
  show(progress: T): void;
  /** Removes the line. */
  end(): void;
}

/** Interval of lines without a terminal, in milliseconds. */
const plainPeriodMs = 10_000;

const usualColumns = 80;
const barSizes = [20, 10];

/**
 * Fits a bar and a text into one line: if necessary, shortens the bar and omits parts of the text before the last one.
 * @param share of the work that is done, 0 to 1
 */
export function fitLine(share: number, text: string, columns: number): string {
  const parts = text.split(", ");
  const last = parts.slice(-1);
  const texts = Array.from({ length: Math.max(1, parts.length - 1) }, (_, left) =>
    [...parts.slice(0, Math.max(0, parts.length - 1 - left)), ...last].join(", "),
  );
  const lines = texts.flatMap((each) => barSizes.map((size) => `${barOf(share, size)} ${each}`));
  // The last column stays empty: some terminals go to the next line with it.
  return lines.find((line) => line.length < columns) ?? (texts.at(-1) ?? text).slice(0, columns - 1);
}

function barOf(share: number, size: number): string {
  const done = Math.round(size * Math.min(1, Math.max(0, share)));
  return "#".repeat(done) + ".".repeat(size - done);
}

/** A live line on `stream` if that is a terminal, else a plain line every ten seconds. */
export function createProgressLine(stream: NodeJS.WriteStream): ProgressLine {
  return createLine(stream, describeProgress);
}

/** The same for a session. */
export function createSessionLine(stream: NodeJS.WriteStream): ProgressLine<SessionProgress> {
  return createLine(stream, describeSession);
}

/** The same for the checks of `check`. */
export function createCheckLine(stream: NodeJS.WriteStream): ProgressLine<CheckProgress> {
  return createLine(stream, describeChecks);
}

function createLine<T extends Timed>(
  stream: NodeJS.WriteStream,
  describe: (progress: T) => string,
): ProgressLine<T> {
  if (!stream.isTTY) {
    return createPlainLines(
      (line) => stream.write(`${line}\n`),
      () => performance.now(),
      describe,
    );
  }
  const bar = new SingleBar({
    stream,
    format: (_options, { progress }, { text }: { text: string }) =>
      fitLine(progress, text, stream.columns ?? usualColumns),
    clearOnComplete: true,
    hideCursor: true,
    emptyOnZero: true,
  });
  let isStarted = false;
  /** Restores the terminal's cursor and line wrap. */
  const stop = (): void => bar.stop();
  return {
    show(progress) {
      const done = Math.max(0, progress.totalMs - progress.leftMs);
      const payload = { text: describe(progress) };
      if (isStarted) {
        bar.update(done, payload);
      } else {
        bar.start(progress.totalMs, done, payload);
        isStarted = true;
        process.on("exit", stop);
      }
    },
    end() {
      process.off("exit", stop);
      stop();
    },
  };
}

/**
 * Progress for a log: nothing for a short run, else a line every ten seconds.
 * @param nowMs milliseconds of a clock that never goes back
 */
export function createPlainLines<T extends Timed>(
  write: (line: string) => void,
  nowMs: () => number,
  describe: (progress: T) => string,
): ProgressLine<T> {
  let writtenMs = nowMs();
  return {
    show(progress) {
      if (nowMs() - writtenMs >= plainPeriodMs) {
        writtenMs = nowMs();
        write(describe(progress));
      }
    },
    end: () => undefined,
  };
}

/** `measure 8 s left, 412,000/s, p50 140 us, p99 310 us, 64 connections, 0 errors` */
export function describeProgress(progress: Progress): string {
  const { phase, openConnections, requestedConnections, errorCount } = progress;
  const errors = `${formatNumber(errorCount)} errors`;
  if (phase === "connect") {
    return `connect ${formatNumber(openConnections)} of ${formatNumber(requestedConnections)}, ${errors}`;
  }
  if (phase === "wait") {
    const seconds = Math.ceil((progress.leftMs - progress.totalMs) / 1000);
    // The start may not be known yet.
    const wait = seconds > 0 ? `wait ${seconds} s` : "wait";
    return `${wait} for the start, ${formatNumber(openConnections)} connections, ${errors}`;
  }
  return [
    `${phase} ${Math.ceil(progress.leftMs / 1000)} s left`,
    ...describeFigures(progress),
    `${formatNumber(openConnections)} connections`,
    errors,
  ].join(", ");
}

/** `hold 2000: 38 s left, 2,000 connections, 0 errors` */
export function describeSession(progress: SessionProgress): string {
  const { phase, step, leftMs, openConnections, errorCount } = progress;
  return [
    `${step ?? phase}: ${formatElapsed(1000 * Math.ceil(leftMs / 1000))} left`,
    ...describeFigures(progress),
    `${formatNumber(openConnections)} connections`,
    `${formatNumber(errorCount)} errors`,
  ].join(", ");
}

/** `check 12 of 41, 53 s left`, and then `idle connections, 41 of 41 checks done, 48 s left` */
export function describeChecks({ done, all, leftMs }: CheckProgress): string {
  const left = `${formatElapsed(1000 * Math.ceil(leftMs / 1000))} left`;
  return done < all
    ? `check ${done + 1} of ${all}, ${left}`
    : `idle connections, ${all} of ${all} checks done, ${left}`;
}

/** Rates are known per second; before the end of the first second there is none. */
function describeFigures({
  messagesPerSecond,
  p50Us,
  p99Us,
}: Pick<Progress, "messagesPerSecond" | "p50Us" | "p99Us">): string[] {
  const latency = (name: string, us: number | null): string[] =>
    us === null ? [] : [`${name} ${formatDurationUs(us)}`];
  return [
    ...(messagesPerSecond === null ? [] : [`${formatNumber(Math.round(messagesPerSecond))}/s`]),
    ...latency("p50", p50Us),
    ...latency("p99", p99Us),
  ];
}
