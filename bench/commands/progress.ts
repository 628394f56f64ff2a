// Shows the progress of a run as one live line on a terminal.

import { SingleBar } from "cli-progress";
import { formatDurationUs, formatNumber } from "../../src/lib/format.ts";
import type { Progress } from "../measure/measure.ts";

/** Shows how a measurement is going. */
export interface ProgressLine {
  show(progress: Progress): void;
  /** Removes the line. */
  end(): void;
}

/** Where there is no terminal, how often a line is written, in milliseconds. */
const plainPeriodMs = 10_000;

/** A live line on `stream` when that is a terminal, else a plain line every ten seconds. */
export function createProgressLine(stream: NodeJS.WriteStream): ProgressLine {
  if (!stream.isTTY) {
    return createPlainLines(
      (line) => stream.write(`${line}\n`),
      () => performance.now(),
    );
  }
  const bar = new SingleBar({
    stream,
    format: "{bar} {text}",
    barsize: 20,
    barCompleteChar: "#",
    barIncompleteChar: ".",
    clearOnComplete: true,
    hideCursor: true,
    emptyOnZero: true,
  });
  let isStarted = false;
  /** Gives the terminal its cursor and its line wrap back. */
  const stop = (): void => bar.stop();
  return {
    show(progress) {
      const done = Math.max(0, progress.totalMs - progress.leftMs);
      const payload = { text: describeProgress(progress) };
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
 * Progress for a log: nothing of a short run, then a line every ten seconds.
 * @param nowMs milliseconds of a clock that never goes back
 */
export function createPlainLines(write: (line: string) => void, nowMs: () => number): ProgressLine {
  let writtenMs = nowMs();
  return {
    show(progress) {
      if (nowMs() - writtenMs >= plainPeriodMs) {
        writtenMs = nowMs();
        write(describeProgress(progress));
      }
    },
    end: () => undefined,
  };
}

/** `measure 8 s left, 412,000/s, p50 140 us, p99 310 us, 64 connections, 0 errors` */
export function describeProgress(progress: Progress): string {
  const { phase, openConnections, requestedConnections, p50Us, p99Us, errorCount } = progress;
  const errors = `${formatNumber(errorCount)} errors`;
  if (phase === "connect") {
    return `connect ${formatNumber(openConnections)} of ${formatNumber(requestedConnections)}, ${errors}`;
  }
  if (phase === "wait") {
    const seconds = Math.ceil((progress.leftMs - progress.totalMs) / 1000);
    return `wait ${seconds} s for the start, ${formatNumber(openConnections)} connections, ${errors}`;
  }
  const latency = (name: string, us: number | null): string[] =>
    us === null ? [] : [`${name} ${formatDurationUs(us)}`];
  return [
    `${phase} ${Math.ceil(progress.leftMs / 1000)} s left`,
    // Rates are known by the second; before the first one is over there is none.
    ...(progress.messagesPerSecond === null
      ? []
      : [`${formatNumber(Math.round(progress.messagesPerSecond))}/s`]),
    ...latency("p50", p50Us),
    ...latency("p99", p99Us),
    `${formatNumber(openConnections)} connections`,
    errors,
  ].join(", ");
}
