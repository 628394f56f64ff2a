// Formats the sentences that all reports share: load, loop, verdict, environment, command.

import { formatBytes, formatDurationUs, formatNumber } from "../../src/lib/format.ts";
import type { Environment, Latency, Result, Scenario, Verdict } from "../result/schema.ts";
import { formatActual } from "../result/threshold.ts";
import type { Threshold } from "./frame/page.ts";

/** The percentiles of a Latency with their headings, in order. */
export const latencyColumns: readonly (readonly [keyof Latency, string])[] = [
  ["min", "min"],
  ["mean", "mean"],
  ["p50", "p50"],
  ["p90", "p90"],
  ["p99", "p99"],
  ["p999", "p99.9"],
  ["p9999", "p99.99"],
  ["max", "max"],
];

/** The title of a Result: its label, or else its target. */
export function titleOf(result: Pick<Result, "label" | "target">): string {
  return result.label ?? result.target.url;
}

/** The titles of several Results; equal ones are numbered. */
export function distinctTitles(results: readonly Pick<Result, "label" | "target">[]): string[] {
  const titles = results.map(titleOf);
  return titles.map((title, index) => {
    if (titles.indexOf(title) === titles.lastIndexOf(title)) {
      return title;
    }
    return `${title} (${titles.slice(0, index + 1).filter((other) => other === title).length})`;
  });
}

/** `64 connections x 16 in flight, 64 B binary, 10 s after 2 s of warm-up` */
export function describeLoad({
  scenario,
  loop,
  window,
}: Pick<Result, "scenario" | "loop" | "window">): string {
  const sizes = scenario.payloadBytes.map(formatBytes).join(" / ");
  const parts = [
    describePace(scenario, loop),
    loop === "http" ? `${sizes} body` : `${sizes} ${scenario.type}`,
    `${formatNumber(window.seconds)} s after ${formatNumber(scenario.warmupMs / 1000)} s of warm-up`,
  ];
  if (scenario.compression) {
    parts.push("permessage-deflate");
  }
  if (scenario.generators > 1) {
    parts.push(`merged from ${scenario.generators} generators`);
  }
  return parts.join(", ");
}

function describePace(
  { connections, depth, ratePerSecond, arrivals, stages }: Scenario,
  loop: Result["loop"],
): string {
  const sockets = `${formatNumber(connections)} ${connections === 1 ? "connection" : "connections"}`;
  if (stages !== null) {
    const rates = stages.flatMap(({ fromPerSecond, toPerSecond }) => [fromPerSecond, toPerSecond]);
    const range = `${formatNumber(Math.min(...rates))} to ${formatNumber(Math.max(...rates))}`;
    return `${range} messages/s in ${stages.length} stages (${arrivals ?? "even"} arrivals) over ${sockets}`;
  }
  if (ratePerSecond !== null) {
    return `${formatNumber(ratePerSecond)} messages/s (${arrivals ?? "even"} arrivals) over ${sockets}`;
  }
  return `${sockets} x ${formatNumber(depth ?? 1)} ${loop === "http" ? "pipelined" : "in flight"}`;
}

/** Explains what the kind of loop means for the latencies. */
export function describeLoop(loop: Result["loop"]): string {
  switch (loop) {
    case "open":
      return "open loop: latency counts from the intended send time, service time from the actual one";
    case "closed":
      return "closed loop: it waits for replies, so a stall of the target hides the messages it delays";
    case "http":
      return "HTTP by autocannon, a closed loop: not corrected for coordinated omission";
  }
}

/** Describes the bottleneck. */
export function describeVerdict(verdict: Verdict): string {
  switch (verdict) {
    case "server-bound":
      return "the target was the bottleneck: this is its limit";
    case "client-bound":
      return "the generator was the bottleneck: the target can do more";
    case "rate-limited":
      return "the requested rate set the pace: read the latencies, not the rate";
    case "idle":
      return "neither side was seen to be saturated: the network, the loop or the scenario set the pace";
    case "invalid":
      return "the figures are invalid";
  }
}

/** The machine and the versions, in one line. */
export function describeEnvironment(environment: Environment): string {
  const { commit, dirty, versions, cpuModel, cores, kernel } = environment;
  const parts = [
    `${cpuModel} (${cores} cores${environment.cpuLimitCores === null ? "" : `, limited to ${environment.cpuLimitCores}`})`,
    environment.cpuGovernor === null ? null : `governor ${environment.cpuGovernor}`,
    `${formatBytes(environment.memoryBytes)} memory`,
    [environment.distribution, kernel, environment.architecture].filter((part) => part !== null).join(", "),
    environment.container === null ? null : `in ${environment.container}`,
    `Node ${versions["node"] ?? "unknown"}`,
    `uws-echo-bench ${versions["uws-echo-bench"] ?? "unknown"}`,
    commit === null
      ? null
      : `commit ${commit.slice(0, 10)}${dirty === true ? " with uncommitted changes" : ""}`,
  ];
  return parts.filter((part) => part !== null).join(" · ");
}

/**
 * The command that repeats the measurement, as lines for a shell; none if unknown. Replace the `***` of secret
 * header values before you run it.
 */
export function describeCommand(
  { command, scenario }: Pick<Result, "command"> & { readonly scenario: Pick<Scenario, "seed"> },
  width: number,
): string[] {
  if (command === null) {
    return [];
  }
  const isSeeded = scenario.seed === null || command.some((arg) => arg.startsWith("--seed"));
  return formatCommand([...command, ...(isSeeded ? [] : ["--seed", String(scenario.seed)])], width);
}

/** A command line of this program, broken for a shell. */
export function formatCommand(command: readonly string[], width: number): string[] {
  const args = ["uws-echo-bench", ...withoutOnce(command)];
  const lines: string[] = [];
  for (const word of args.map(quoteForShell)) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + word.length + " ".length + " \\".length <= width) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else {
      lines.push(line === undefined ? word : `  ${word}`);
    }
  }
  return lines.map((line, index) => (index < lines.length - 1 ? `${line} \\` : line));
}

/** Removes options that apply only once: output files, which now exist, and a past start time. */
function withoutOnce(command: readonly string[]): string[] {
  const isOnce = (arg = ""): boolean => ["-o", "--out", "--start-at"].includes(arg);
  return command.filter(
    (arg, index) => !isOnce(arg) && !isOnce(command[index - 1]) && !/^(-o.|--out=|--start-at=)/.test(arg),
  );
}

/** Quotes an argument if a shell would split or expand it. */
function quoteForShell(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`;
}

/** Formats a latency in a fitting unit; `-` if unknown. */
export function formatUs(us: number | null | undefined): string {
  return us == null ? "-" : formatDurationUs(us);
}

/** The thresholds of a document as its page shows them. */
export function shownThresholds(thresholds: Result["thresholds"]): Threshold[] {
  return thresholds.map((threshold) => ({
    expression: threshold.expression,
    actual: formatActual(threshold),
    passed: threshold.passed,
  }));
}
