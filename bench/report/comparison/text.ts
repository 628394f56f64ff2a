// Formats a Comparison as text.

import { alignColumns, wrapText } from "../../../src/lib/columns.ts";
import { type Look, plainLook } from "../../../src/lib/terminal.ts";
import type { Comparison } from "../../result/comparison.ts";
import { describeEnvironment } from "../describe.ts";
import {
  type Against,
  againstBaseline,
  describeControl,
  describeDesign,
  describePower,
  figureRows,
} from "./words.ts";

/** Every figure of every arm with median and range, its ratio to the first arm's, and the conclusions. */
export function formatComparison(comparison: Comparison, look: Look = plainLook): string {
  const { arms, warnings, environment } = comparison;
  const { width, paint } = look;
  const blocks = [
    arms.map(({ name, target }, index) => `${index === 0 ? "baseline" : "compared"}  ${name}: ${target}`),
    wrapText(describeDesign(comparison), width),
    ...againstBaseline(comparison).map((against) => describeArm(comparison, against, look)),
    warnings.flatMap((warning) => wrapText(`! ${warning}`, width).map(paint.yellow)),
    wrapText(describeEnvironment(environment), width).map(paint.dim),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function describeArm(comparison: Comparison, against: Against, look: Look): string[] {
  const { name } = against;
  const baseline = comparison.arms[0]?.name ?? "";
  const rows = figureRows(comparison, against);
  const header = [
    "",
    `${baseline}, median (range)`,
    `${name}, median (range)`,
    `${name} / ${baseline} (95 % interval)`,
    "",
  ];
  const control = describeControl(comparison, against);
  const sentences = [...(control === undefined ? [] : [control]), ...describePower(comparison, against)];
  return [
    ...figureTable([header, ...rows], look),
    "",
    ...sentences.flatMap((sentence) => wrapText(sentence, look.width)),
  ];
}

/** One row for each figure, or its cells below each other if the row is too wide. */
function figureTable([header = [], ...rows]: readonly (readonly string[])[], look: Look): string[] {
  const wide = alignColumns([header, ...rows]);
  if (wide.every((line) => line.length <= look.width)) {
    return wide;
  }
  return rows.flatMap(([figure = "", ...cells], index) => {
    const pairs = cells.map((cell, at) => [`  ${header[at + 1] || "finding"}`, cell]);
    return [...(index === 0 ? [] : [""]), look.paint.bold(figure), ...alignColumns(pairs)];
  });
}
