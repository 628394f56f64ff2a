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

const silent: ProgressLine = { show: () => undefined, end: () => undefined };

/** A progress line on `stream` when that is a terminal, else nothing at all. */
export function createProgressLine(stream: NodeJS.WriteStream): ProgressLine {
  if (!stream.isTTY) {
    return silent;
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
    `${formatNumber(Math.round(progress.messagesPerSecond))}/s`,
    ...latency("p50", p50Us),
    ...latency("p99", p99Us),
    `${formatNumber(openConnections)} connections`,
    errors,
  ].join(", ");
}
