// Makes the page of Comparisons: figures, ratios with intervals, and the pairs behind the primary figure.

import { type Comparison, isAcceptable } from "../../result/comparison.ts";
import type { Spread } from "../../result/stats.ts";
import { describeCommand, describeEnvironment } from "../describe.ts";
import { Markup } from "../frame/markup.ts";
import {
  type Badge,
  commandWidth,
  type Page,
  type Part,
  type Section,
  type Subject,
  type Tile,
  type Tone,
} from "../frame/page.ts";
import { forestPlot, pairsPlot } from "./charts.ts";
import {
  type Against,
  againstBaseline,
  describeControl,
  describeDesign,
  describeFinding,
  describePower,
  figureRows,
  figureTitles,
  formatFigure,
  formatRatio,
} from "./words.ts";

/** All Comparisons in one report, one below the other. */
export function pageOfComparisons(comparisons: readonly Comparison[]): Page {
  const [first] = comparisons;
  const isOne = comparisons.length === 1;
  return {
    title: isOne && first !== undefined ? titleOf(first) : `${comparisons.length} comparisons`,
    subjects: comparisons.map(subjectOf),
    sections: comparisons.flatMap((comparison) =>
      againstBaseline(comparison).map((against) => sectionOf(comparison, against, isOne)),
    ),
  };
}

function titleOf({ arms }: Comparison): string {
  const [baseline, ...others] = arms.map(({ name }) => name);
  return `${others.join(", ")} against ${baseline}`;
}

function subjectOf(comparison: Comparison): Subject {
  const { arms, warnings, environment, startedAt } = comparison;
  const [against] = againstBaseline(comparison);
  return {
    title: titleOf(comparison),
    badge: against === undefined ? null : badgeOf(comparison, against),
    summary: [describeDesign(comparison), ...arms.map(({ name, target }) => `${name}: ${target}`)],
    tiles: tilesOf(comparison),
    failures: isAcceptable(comparison) ? [] : ["see the warnings"],
    warnings,
    thresholds: [],
    command: commandOf(comparison),
    startedAt,
    environment: describeEnvironment(environment),
    document: comparison,
  };
}

function badgeOf({ primary, margin }: Comparison, { name, figures }: Against): Badge {
  const contrast = figures[primary];
  const { finding } = contrast;
  const isBetter = (finding === "higher") === (primary === "messagesPerSecond");
  const tone: Tone = finding === "higher" || finding === "lower" ? (isBetter ? "good" : "bad") : "plain";
  return {
    text: `${figureTitles[primary]}: ${finding}`,
    tone,
    meaning: `${figureTitles[primary]}: ${describeFinding(contrast, margin, name)}`,
  };
}

/** The primary figure of the baseline, then that of each other arm with its change. */
function tilesOf(comparison: Comparison): Tile[] {
  const { arms, primary, margin, figures } = comparison;
  const title = figureTitles[primary];
  const baseline = arms[0]?.name ?? "";
  const median = (name: string, spread: Spread | null): Tile => ({
    label: `${name}: ${title}`,
    value: spread === null ? "unknown" : formatFigure(primary, spread.median),
  });
  return [
    median(baseline, figures[primary].baseline),
    ...againstBaseline(comparison).flatMap(({ name, figures: own }): Tile[] => {
      const { value, ratio, low, high } = own[primary];
      return [
        { ...median(name, value), note: describeFinding(own[primary], margin, name) },
        {
          label: `${name} / ${baseline}`,
          value: ratio === null ? "unknown" : formatRatio(ratio),
          note:
            low === null || high === null
              ? "no interval"
              : `95 %: ${formatRatio(low)} to ${formatRatio(high)}`,
        },
      ];
    }),
  ];
}

function sectionOf(comparison: Comparison, against: Against, isOne: boolean): Section {
  const { name } = against;
  const baseline = comparison.arms[0]?.name ?? "";
  const headings = ["Figure", baseline, name, `${name} / ${baseline} (95 % interval)`, "Finding"];
  const rows = figureRows(comparison, against).map((cells) => ({ cells }));
  const charts = [
    ["Ratios", forestPlot(comparison, against)],
    ["Pairs", pairsPlot(comparison, against)],
  ].filter(([, svg]) => svg !== "");
  return {
    title: isOne ? `${name} against ${baseline}` : `${name} against ${baseline}, ${comparison.startedAt}`,
    notes: [describeControl(comparison, against), ...describePower(comparison, against)].filter(
      (note) => note !== undefined,
    ),
    parts: [
      { type: "table", name: `Figures of ${name}`, headings, rows, textColumns: [headings.length - 1] },
      ...charts.map(
        ([title = "", svg = ""]): Part => ({
          type: "chart",
          name: `${title} of ${name}`,
          svg: new Markup(svg),
        }),
      ),
    ],
  };
}

/** Without rounds, the seed in the scenario is that of a stored Result, not of the comparison. */
function commandOf({ command, scenario, rounds }: Comparison): readonly string[] {
  return describeCommand(
    { command, scenario: rounds === 0 ? { ...scenario, seed: null } : scenario },
    commandWidth,
  );
}
