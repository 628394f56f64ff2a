// The command `report`: reads Result files and writes one report.

import { writeFileSync } from "node:fs";
import { extname } from "node:path";
import { type Command, Option } from "commander";
import { lookFor, plainLook } from "../../src/lib/terminal.ts";
import { type Format, formats } from "../report/kind.ts";
import { reportSources } from "../report/kinds.ts";
import { readText, StoreError } from "../result/store.ts";
import { exitCodes } from "./exit-codes.ts";
import { act } from "./outcome.ts";

const formatByExtension = new Map<string, Format>([
  [".txt", "text"],
  [".md", "markdown"],
  [".csv", "csv"],
  [".hgrm", "hgrm"],
  [".hlog", "hlog"],
  [".html", "html"],
]);

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
      "report stored measurements as text, Markdown, CSV, .hgrm, .hlog or a self-contained HTML page with plots",
    )
    .argument("<file...>", "files of one kind, which share one report and its plots")
    .addOption(
      new Option(
        "-f, --format <format>",
        "format of the report (default: by the extension of --out, else text)",
      ).choices(formats),
    )
    .option("-o, --out <file>", "write to this file instead of standard output, replacing it")
    .option("--service", "for hgrm and hlog: service time instead of latency from the intended send time")
    .action((files: string[], options: ReportOptions, command: Command) =>
      act(command, () => report(files, options), exitCodes.usage),
    );
}

function report(files: readonly string[], { format, out, service }: ReportOptions): number {
  const chosen = format ?? formatByExtension.get(extname(out ?? "").toLowerCase()) ?? "text";
  const look = out === undefined ? lookFor(process.stdout) : plainLook;
  const sources = files.map((name) => ({ name, text: readText(name) }));
  const content = reportSources(sources, { format: chosen, service: service === true, look });
  if (out === undefined) {
    process.stdout.write(content);
  } else {
    write(out, content);
  }
  return exitCodes.good;
}

function write(path: string, content: string): void {
  try {
    writeFileSync(path, content);
  } catch (error) {
    throw new StoreError(`cannot write ${path}: ${(error as Error).message}`, { cause: error });
  }
}
