// Formats Comparisons as one HTML page that needs nothing else, not even a script.

import { type Comparison, isAcceptable } from "../../result/comparison.ts";
import { describeEnvironment } from "../describe.ts";
import { escapeXml } from "../escape.ts";
import { fillTemplate } from "../template.ts";
import { forestPlot, pairsPlot } from "./charts.ts";
import {
  type Against,
  againstBaseline,
  describeControl,
  describeDesign,
  describeFinding,
  describePower,
  figureTitles,
  formatRatios,
  formatSpread,
  knownFigures,
} from "./words.ts";

/** All Comparisons, each with its figures, a forest plot and the pairs behind its primary figure. */
export function formatComparisonsHtml(comparisons: readonly Comparison[]): string {
  const [first] = comparisons;
  const title =
    comparisons.length === 1 && first !== undefined ? titleOf(first) : `${comparisons.length} comparisons`;
  return fillTemplate("comparison.html", {
    title: escapeXml(title),
    body: comparisons.map((comparison) => formatOne(comparison, comparisons.length > 1)).join("\n"),
  });
}

function titleOf({ arms }: Comparison): string {
  const [baseline, ...others] = arms.map(({ name }) => name);
  return `${others.join(", ")} against ${baseline}`;
}

function formatOne(comparison: Comparison, isOneOfMany: boolean): string {
  const { arms, warnings, environment, startedAt } = comparison;
  const targets = arms.map(
    ({ name, target }) => `<p><b>${escapeXml(name)}</b> <code>${escapeXml(target)}</code></p>`,
  );
  const list = warnings.map((warning) => `<li>${escapeXml(warning)}</li>`);
  return [
    '<section class="card">',
    isOneOfMany ? `<h2>${escapeXml(titleOf(comparison))}</h2>` : "",
    ...targets,
    paragraph(describeDesign(comparison), "note"),
    isAcceptable(comparison) ? "" : paragraph("Not acceptable: see the warnings.", "failed"),
    list.length === 0 ? "" : `<ul class="warnings">${list.join("")}</ul>`,
    "</section>",
    ...againstBaseline(comparison).map((against) => formatArm(comparison, against)),
    paragraph(`${describeEnvironment(environment)} · measured ${startedAt}`, "note"),
  ].join("\n");
}

function formatArm(comparison: Comparison, against: Against): string {
  const { arms, primary, margin } = comparison;
  const { name, figures } = against;
  const baseline = arms[0]?.name ?? "";
  const headings = ["Figure", baseline, name, `${name} / ${baseline} (95 % interval)`, "Finding"];
  const rows = knownFigures(comparison, figures).map((figure) => [
    `${figureTitles[figure]}${figure === primary ? " (primary)" : ""}`,
    formatSpread(figure, figures[figure].baseline),
    formatSpread(figure, figures[figure].value),
    formatRatios(figures[figure]),
    describeFinding(figures[figure], margin, name),
  ]);
  const notes = [describeControl(comparison, against), ...describePower(comparison, against)];
  return [
    scrollable("Figures"),
    "<table>",
    `<tr>${headings.map((heading) => `<th scope="col">${escapeXml(heading)}</th>`).join("")}</tr>`,
    ...rows.map((cells) => `<tr>${cells.map(formatCell).join("")}</tr>`),
    "</table>",
    ...notes.filter((note) => note !== undefined).map((note) => paragraph(note, "note")),
    "</section>",
    `${scrollable("Ratios")}${forestPlot(comparison, against)}</section>`,
    `${scrollable("Pairs")}${pairsPlot(comparison, against)}</section>`,
  ].join("\n");
}

/** A section that can be scrolled by keyboard, too. */
function scrollable(name: string): string {
  return `<section class="card scroll" aria-label="${name}" tabindex="0">`;
}

/** Figures to the right; the finding, which is a sentence, to the left. */
function formatCell(cell: string, column: number, { length }: readonly string[]): string {
  return `<td${column === length - 1 ? ' class="text"' : ""}>${escapeXml(cell)}</td>`;
}

function paragraph(text: string, style: string): string {
  return `<p class="${style}">${escapeXml(text)}</p>`;
}
