// Writes the folder of a published comparison: Results, Comparisons, plots and an index that explains them.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { formatNumber } from "../../src/lib/format.ts";
import { describeFinding, formatFigure, formatRatios } from "../report/comparison/words.ts";
import { describeEnvironment } from "../report/describe.ts";
import { formatTable } from "../report/markdown-table.ts";
import { barChartSvg, latencySvg } from "../report/svg.ts";
import { type Comparison, contrastsOf, type FigureName, figuresOf } from "../result/comparison.ts";
import type { Result } from "../result/schema.ts";
import { median, spread } from "../result/stats.ts";
import { formatComparisonFile, writeOnce, writeResult } from "../result/store.ts";
import type { NamedLoad } from "./loads.ts";
import { ourServer, type Peer } from "./servers.ts";

/** One load with all its measurements. */
export interface Measured extends NamedLoad {
  readonly comparison: Comparison;
  /** Every Result of every arm, by its index. */
  readonly results: readonly (readonly Result[])[];
}

/**
 * Writes a new folder; nothing in it is ever replaced.
 * @param command the command line that produced it
 * @throws StoreError when it exists
 */
export function publish(
  folder: string,
  command: string,
  peers: readonly Peer[],
  measured: readonly Measured[],
): void {
  for (const { name, comparison, results } of measured) {
    writeOnce(join(folder, `${name}.comparison.json`), formatComparisonFile(comparison));
    results.forEach((ofArm, arm) => {
      const peer = peers[arm]?.name.toLowerCase() ?? String(arm);
      writeResult(join(folder, `${name}.${peer}.json`), typical(ofArm));
    });
  }
  const closed = measured.filter(({ scenario }) => scenario.loop.kind === "closed");
  const names = peers.map(({ name }) => name);
  writeOnce(
    join(folder, "rate.svg"),
    bars("Messages per second, server on one core", names, closed, "messagesPerSecond"),
  );
  writeOnce(
    join(folder, "cpu.svg"),
    bars("Server CPU time per message", names, closed, "serverCpuPerMessage"),
  );
  const open = measured.find(({ scenario }) => scenario.loop.kind === "open");
  if (open !== undefined) {
    const title = `Latency from the intended send time, ${open.title}`;
    writeOnce(join(folder, "latency.svg"), latencySvg(title, open.results.map(typical)));
  }
  writeOnce(join(folder, "README.md"), describeRun(command, peers, measured));
  writeIndex(dirname(folder));
}

/** The Result whose rate, or latency in an open loop, is nearest to the median of its kind. */
function typical(results: readonly Result[]): Result {
  const figure = ({ summary, loop }: Result): number =>
    loop === "open" ? (summary.latencyUs?.p99 ?? 0) : summary.messagesPerSecond;
  const middle = median(results.map(figure));
  const [first] = results.toSorted((a, b) => Math.abs(figure(a) - middle) - Math.abs(figure(b) - middle));
  return first as Result;
}

function bars(
  title: string,
  names: readonly string[],
  measured: readonly Measured[],
  figure: FigureName,
): string {
  return barChartSvg({
    title,
    names,
    format: (value) => formatFigure(figure, value),
    groups: measured.map(({ title: group, comparison }) => ({
      title: group,
      values: names.map((_, arm) => medianOf(comparison, figure, arm)),
    })),
  });
}

function medianOf({ samples }: Comparison, figure: FigureName, arm: number): number | null {
  const values = figuresOf(samples, figure, arm);
  return values.length === 0 ? null : median(values);
}

function describeRun(command: string, peers: readonly Peer[], measured: readonly Measured[]): string {
  const [first] = measured;
  const warnings = measured.flatMap(({ title, comparison }) =>
    comparison.warnings.map((warning) => `- ${title}: ${warning}`),
  );
  const blocks = [
    `# Echo servers side by side, ${first?.comparison.startedAt.slice(0, 10) ?? ""}`,
    first === undefined ? "" : describeEnvironment(first.comparison.environment),
    `Made by \`${command}\`. Servers: ${peers.map(({ name, version }) => `${name} ${version}`).join(", ")}.`,
    `Every round measures two fresh processes of each server, in turns; figures are medians (lowest to highest) of ` +
      `all of them. Ratios have intervals of 95 %; "undecided" means that the interval holds 1. ` +
      "How to read all this: docs/measuring.md.",
    "![Messages per second](rate.svg)\n\n![Server CPU time per message](cpu.svg)\n\n![Latency by percentile](latency.svg)",
    ...measured.map((load) => `## ${load.title}\n\n${tableOf(load, peers)}`),
    warnings.length === 0 ? "" : `## Warnings\n\n${warnings.join("\n")}`,
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

function tableOf({ comparison }: Measured, peers: readonly Peer[]): string {
  const headings = [
    "Server",
    `CPU against ${ourServer}`,
    "Messages/s",
    "Server CPU/message",
    "p50",
    "p99",
    "p99.9",
  ];
  const rows = peers.map(({ name }, arm) => [
    name,
    describeCpu(comparison, arm, name),
    formatRange(comparison, "messagesPerSecond", arm),
    formatRange(comparison, "serverCpuPerMessage", arm),
    ...(["p50", "p99", "p999"] as const).map((figure) => {
      const middle = medianOf(comparison, figure, arm);
      return middle === null ? "-" : formatFigure(figure, middle);
    }),
  ]);
  return formatTable(headings, rows);
}

function describeCpu(comparison: Comparison, arm: number, name: string): string {
  const contrast = contrastsOf(comparison, arm)?.serverCpuPerMessage;
  if (contrast === undefined) {
    return "-";
  }
  return `${formatRatios(contrast)}: ${describeFinding(contrast, comparison.margin, name).replace(`${name} `, "")}`;
}

function formatRange({ samples }: Comparison, figure: FigureName, arm: number): string {
  const values = figuresOf(samples, figure, arm);
  if (values.length === 0) {
    return "-";
  }
  const { median: middle, min, max } = spread(values);
  return `${formatFigure(figure, middle)} (${formatFigure(figure, min)} to ${formatFigure(figure, max)})`;
}

/** Writes the index of all runs, newest first, from their folders. */
export function writeIndex(folder: string): void {
  const runs = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, "README.md")))
    .map(({ name }) => name)
    .sort()
    .reverse();
  const lines = runs.map((name) => {
    const [heading = "", , environment = ""] = readFileSync(join(folder, name, "README.md"), "utf8").split(
      "\n",
    );
    return `- [${heading.replace(/^# /, "")}](${name}/README.md): ${environment}`;
  });
  const text = [
    "# Reference results",
    "",
    `${formatNumber(runs.length)} ${runs.length === 1 ? "run" : "runs"}, newest first. Each folder holds the Results as they were measured, and is never changed.`,
    "",
    ...lines,
    "",
  ];
  writeFileSync(join(folder, "README.md"), text.join("\n"));
}
