// The options --junit and --summary of any command, which write its conclusion for CI.

import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import type { Conclusion } from "../report/checks/conclusion.ts";
import { formatJunit } from "../report/checks/junit.ts";
import { problemOfWriting } from "../result/store.ts";

export interface CiOutput {
  readonly junit?: string;
  readonly summary?: string;
}

export function addCiOptions(command: Command): Command {
  return command
    .option("--junit <file>", "write a JUnit XML file for CI, with a test case for each check")
    .option("--summary <file>", 'append the report as Markdown, as in --summary "$GITHUB_STEP_SUMMARY"');
}

/** Why a file cannot be written, found by trying before anything is measured. */
export function ciProblems({ junit, summary }: CiOutput): string[] {
  return Object.entries({ junit, summary }).flatMap(([flag, path]) => {
    const problem = path === undefined ? undefined : problemOfAppending(path);
    return problem === undefined ? [] : [`--${flag}: ${problem}`];
  });
}

function problemOfAppending(path: string): string | undefined {
  if (!existsSync(path)) {
    return problemOfWriting(path);
  }
  try {
    appendFileSync(path, "");
    return undefined;
  } catch (error) {
    return `cannot write ${path}: ${(error as Error).message}`;
  }
}

/** Writes the requested files. @returns whether that worked; if not, the reason is on standard error */
export function tellCi({ junit, summary }: CiOutput, conclude: () => Conclusion): boolean {
  if (junit === undefined && summary === undefined) {
    return true;
  }
  const conclusion = conclude();
  const isWritten = [
    junit === undefined || attempt(() => writeFileSync(junit, formatJunit(conclusion))),
    summary === undefined ||
      attempt(() => appendFileSync(summary, `## ${conclusion.title}\n\n${conclusion.markdown}\n`)),
  ];
  return isWritten.every(Boolean);
}

function attempt(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    process.stderr.write(`error: ${(error as Error).message}\n`);
    return false;
  }
}
