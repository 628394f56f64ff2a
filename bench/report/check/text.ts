// Reports a CheckReport as text for a terminal.

import { wrapText } from "../../../src/lib/columns.ts";
import { type Look, type Paint, plainLook } from "../../../src/lib/terminal.ts";
import type { Checked, CheckReport } from "../../result/check.ts";
import { describeEnvironment } from "../describe.ts";
import { describeCounts, describeTarget, groupNames, groupsOf, statusNames } from "./words.ts";

const statusWidth = 11;
const titleWidth = 21;

/** One line for each check, with the advice below it. Lines wrap at the look's width. */
export function formatCheck(report: CheckReport, look: Look = plainLook): string {
  const { partial, environment } = report;
  const { width, paint } = look;
  const fit = (text: string): string[] => wrapText(text, width);
  const groups = groupsOf(report).map(({ group, checks }) => [
    paint.bold(groupNames[group]),
    ...checks.flatMap((check) => formatOne(check, look)),
  ]);
  const blocks = [
    fit(describeTarget(report)).map(paint.bold),
    ...groups,
    [
      ...fit(describeCounts(report)).map(paint.bold),
      ...(partial === null ? [] : fit(`Not finished: ${partial.reason}.`).map(paint.yellow)),
    ],
    fit(describeEnvironment(environment)).map(paint.dim),
  ];
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function formatOne({ status, title, seen, direct, advice }: Checked, { width, paint }: Look): string[] {
  const indent = statusWidth + titleWidth;
  const lines = [
    ...wrapText(seen, width - indent),
    ...(direct === null || status === "pass" || status === "not-tested"
      ? []
      : wrapText(`directly: ${direct.seen}`, width - indent)),
    ...(advice === null ? [] : wrapText(`-> ${advice}`, width - indent).map(paint.bold)),
  ];
  const label = painterOf(status, paint)(statusNames[status].padEnd(statusWidth));
  return lines.map((line, index) =>
    index === 0 ? `${label}${title.padEnd(titleWidth)}${line}` : `${" ".repeat(indent)}${line}`,
  );
}

function painterOf(status: Checked["status"], paint: Paint): (text: string) => string {
  switch (status) {
    case "pass":
      return paint.green;
    case "differs":
      return paint.yellow;
    case "fails":
      return paint.red;
    case "not-tested":
      return paint.dim;
  }
}
