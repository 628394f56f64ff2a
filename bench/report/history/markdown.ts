// Formats a History as Markdown.

import type { History, Track } from "../../result/history.ts";
import { figureTitles } from "../comparison/words.ts";
import { formatTable } from "../markdown-table.ts";
import {
  describeHistory,
  describeLeftOut,
  describeNewest,
  describeStep,
  describeTrack,
  formatLevel,
} from "./words.ts";

/** Each target and load with a table of levels and the conclusions. */
export function formatHistoryMarkdown({ tracks }: History): string {
  return `${tracks.map(formatTrack).join("\n\n")}\n`;
}

function formatTrack(track: Track): string {
  const rows = track.figures.flatMap((history) =>
    history.levels.map((level) => [
      figureTitles[history.figure],
      level.from.startedAt,
      String(level.results),
      formatLevel(history, level),
      describeStep(level),
      level.changes.join(", "),
    ]),
  );
  const sentences = [
    ...track.figures.map((figure) =>
      figure.finding === "regression" ? `**${describeHistory(figure)}**` : describeHistory(figure),
    ),
    ...track.figures.flatMap((figure) => describeNewest(figure) ?? []),
    ...describeLeftOut(track),
  ];
  return [
    `### ${track.title}`,
    describeTrack(track),
    formatTable(["Figure", "Since", "Results", "Level", "Step", "Changed with it"], rows),
    sentences.map((sentence) => `- ${sentence}`).join("\n"),
  ].join("\n\n");
}
