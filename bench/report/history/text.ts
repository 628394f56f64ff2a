// Formats a History as text.

import { alignColumns, wrapText } from "../../../src/lib/columns.ts";
import { type Look, plainLook } from "../../../src/lib/terminal.ts";
import type { FigureHistory, History, Track } from "../../result/history.ts";
import { figureTitles } from "../comparison/words.ts";
import {
  describeHistory,
  describeLeftOut,
  describeNewest,
  describeStep,
  describeTrack,
  formatLevel,
} from "./words.ts";

/** Each target and load with the levels of its figures, oldest first. */
export function formatHistory({ tracks }: History, look: Look = plainLook): string {
  return `${tracks.map((track) => formatTrack(track, look).join("\n")).join("\n\n")}\n`;
}

function formatTrack(track: Track, { width, paint }: Look): string[] {
  const fit = (text: string): string[] => wrapText(text, width);
  const notes = [
    ...track.figures.flatMap((figure) => describeNewest(figure) ?? []),
    ...describeLeftOut(track),
  ];
  return [
    ...fit(track.title).map(paint.bold),
    ...fit(describeTrack(track)),
    ...track.figures.flatMap((figure) => ["", ...formatFigureHistory(figure, { width, paint })]),
    ...(notes.length === 0 ? [] : ["", ...notes.flatMap((note) => fit(`! ${note}`)).map(paint.yellow)]),
  ];
}

function formatFigureHistory(history: FigureHistory, { width, paint }: Look): string[] {
  const color = history.finding === "regression" ? paint.red : paint.green;
  const rows = history.levels.map((level) => [
    `  ${level.from.startedAt}`,
    `${level.results} ${level.results === 1 ? "Result" : "Results"}`,
    formatLevel(history, level),
    describeStep(level),
  ]);
  const changes = history.levels.flatMap(({ from, changes }) =>
    changes.length === 0 ? [] : wrapText(`changed on ${from.startedAt}: ${changes.join(", ")}`, width),
  );
  return [
    figureTitles[history.figure],
    ...alignColumns(rows),
    ...changes.map(paint.dim),
    ...wrapText(describeHistory(history), width).map(color),
  ];
}
