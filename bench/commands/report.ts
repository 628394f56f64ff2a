// The command `report`: reads Result files and writes one report.

import { writeFileSync } from "node:fs";
import { extname } from "node:path";
import { type Command, Option } from "commander";
import { type Look, lookFor, plainLook } from "../../src/lib/terminal.ts";
import { formatComparisonsCsv } from "../report/comparison/csv.ts";
import { formatComparisonsHtml } from "../report/comparison/html.ts";
import { formatComparisonsMarkdown } from "../report/comparison/markdown.ts";
import { formatComparison } from "../report/comparison/text.ts";
import { formatCsv } from "../report/csv.ts";
import { formatHgrm } from "../report/hgrm.ts";
import { formatHtml } from "../report/html.ts";
import { formatMarkdown } from "../report/markdown.ts";
import { formatText } from "../report/text.ts";
import { type Comparison, comparisonKind } from "../result/comparison.ts";
import { type Result, resultKind } from "../result/schema.ts";
import { readReportable, StoreError } from "../result/store.ts";
import { exitCodes } from "./exit-codes.ts";
import { act } from "./outcome.ts";

const formats = ["text", "markdown", "csv", "hgrm", "html"] as const;
type Format = (typeof formats)[number];

const formatByExtension = new Map<string, Format>([
  [".txt", "text"],
  [".md", "markdown"],
  [".csv", "csv"],
  [".hgrm", "hgrm"],
  [".html", "html"],
]);

/** Between two reports as text. */
const rule = `\n${"-".repeat(80)}\n\n`;

interface Form {
  readonly format: Format;
  readonly service: boolean;
  /** For text. */
  readonly look: Look;
}

interface ReportOptions {
  readonly format?: Format;
  readonly out?: string;
  readonly service?: boolean;
}

/** Adds `report FILE...` to the program. */
export function addReportCommand(program: Command): void {
  program
    .command("report")
    .description(
      "report Results or Comparisons as text, Markdown, CSV, .hgrm or a self-contained HTML page with plots",
    )
    .argument("<file...>", "Result files, which share one report and its plots, or Comparison files")
    .addOption(
      new Option(
        "-f, --format <format>",
        "format of the report (default: by the extension of --out, else text)",
      ).choices(formats),
    )
    .option("-o, --out <file>", "write to this file instead of standard output, replacing it")
    .option("--service", "for hgrm: service time instead of latency from the intended send time")
    .action((files: string[], options: ReportOptions, command: Command) =>
      act(command, () => report(files, options), exitCodes.usage),
    );
}

function report(files: readonly string[], { format, out, service }: ReportOptions): number {
  const chosen = format ?? formatByExtension.get(extname(out ?? "").toLowerCase()) ?? "text";
  const look = out === undefined ? lookFor(process.stdout) : plainLook;
  const content = formatFiles(files, { format: chosen, service: service === true, look });
  if (out === undefined) {
    process.stdout.write(content);
  } else {
    write(out, content);
  }
  return exitCodes.good;
}

/** All files in one report. @throws StoreError when they are of both kinds */
function formatFiles(files: readonly string[], form: Form): string {
  const contents = files.map(readReportable);
  const comparisons = contents.filter((content) => content.kind === comparisonKind);
  const results = contents.filter((content) => content.kind === resultKind);
  if (comparisons.length === 0) {
    return formatResults(results, form);
  }
  if (results.length > 0) {
    throw new StoreError("Results and Comparisons do not go into one report: give one kind at a time");
  }
  return formatComparisons(comparisons, form);
}

function formatComparisons(comparisons: readonly Comparison[], { format, look }: Form): string {
  switch (format) {
    case "text":
      return comparisons.map((comparison) => formatComparison(comparison, look)).join(rule);
    case "markdown":
      return formatComparisonsMarkdown(comparisons);
    case "csv":
      return formatComparisonsCsv(comparisons);
    case "html":
      return formatComparisonsHtml(comparisons);
    case "hgrm":
      throw new StoreError(".hgrm holds one distribution, and a Comparison has none");
  }
}

function formatResults(results: readonly Result[], { format, service, look }: Form): string {
  switch (format) {
    case "text":
      return results.map((result) => formatText(result, look)).join(rule);
    case "markdown":
      return formatMarkdown(results);
    case "csv":
      return formatCsv(results);
    case "html":
      return formatHtml(results);
    case "hgrm": {
      const [result, ...others] = results;
      if (result === undefined || others.length > 0) {
        throw new StoreError(".hgrm holds one distribution: give one file, or merge the files first");
      }
      return formatHgrm(result, service ? "service" : "latency");
    }
  }
}

function write(path: string, content: string): void {
  try {
    writeFileSync(path, content);
  } catch (error) {
    throw new StoreError(`cannot write ${path}: ${(error as Error).message}`, { cause: error });
  }
}
