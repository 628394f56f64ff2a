// Lays out text reports in blocks of lines: what all of them have in common.

import { wrapText } from "../../src/lib/columns.ts";
import type { Look } from "../../src/lib/terminal.ts";
import type { Environment } from "../result/schema.ts";
import { describeEnvironment } from "./describe.ts";

/** The text of the blocks, with an empty line between two; empty blocks are left out. */
export function joinBlocks(blocks: readonly (readonly string[])[]): string {
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

export function failureLines(failures: readonly string[], { width, paint }: Look): string[] {
  return failures.length === 0
    ? []
    : wrapText(`NOT ACCEPTABLE: ${failures.join("; ")}.`, width).map((line) => paint.bold(paint.red(line)));
}

/** Warnings, and the environment as the last block. */
export function footBlocks(
  { warnings, environment }: { readonly warnings: readonly string[]; readonly environment: Environment },
  { width, paint }: Look,
): string[][] {
  return [
    warnings.flatMap((warning) => wrapText(`! ${warning}`, width).map(paint.yellow)),
    wrapText(describeEnvironment(environment), width).map(paint.dim),
  ];
}
