// Draws plots as SVG for a README: latency curves, and bars side by side. They follow the light or dark theme.

import { decodeHistogram } from "../result/histogram.ts";
import type { Result } from "../result/schema.ts";
import { curvePositions, curveValues, percentileLabel } from "./curve.ts";
import { distinctTitles, formatUs } from "./describe.ts";
import { escapeXml } from "./frame/escape.ts";

const plotWidth = 860;
const lightColors = ["#2563c9", "#d1580b", "#15803d", "#a2259f", "#0e7f8c", "#b91c3c"];
const darkColors = ["#6ea8ff", "#ff9a4d", "#58c98a", "#e58be2", "#4fc7d6", "#ff7d95"];

/** One group of bars: a scenario, and a value for each name of the chart (null: not measured). */
export interface BarGroup {
  readonly title: string;
  readonly values: readonly (number | null)[];
}

export interface BarChart {
  readonly title: string;
  readonly names: readonly string[];
  readonly groups: readonly BarGroup[];
  readonly format: (value: number) => string;
}

/** Draws horizontal bars. Each group has its own scale, because scenarios differ by powers of ten. */
export function barChartSvg({ title, names, groups, format }: BarChart): string {
  const [labelWidth, barHeight, groupGap, top] = [150, 19, 34, 52];
  const room = plotWidth - labelWidth - 110;
  const parts: string[] = [];
  let y = top;
  for (const group of groups) {
    const highest = Math.max(...group.values.map((value) => value ?? 0), Number.MIN_VALUE);
    parts.push(text(16, y + 12, group.title, "strong"));
    y += 22;
    for (const [index, value] of group.values.entries()) {
      if (value === null) {
        continue;
      }
      const width = Math.max(2, (room * value) / highest);
      parts.push(
        text(labelWidth - 8, y + 14, names[index] ?? "", "soft", "end"),
        `<rect class="f${index % lightColors.length}" x="${labelWidth}" y="${y + 2}" width="${width.toFixed(1)}" height="${barHeight - 4}" rx="2"/>`,
        text(labelWidth + width + 6, y + 14, format(value)),
      );
      y += barHeight;
    }
    y += groupGap - 22;
  }
  return svg(title, y + 8, parts);
}

/** Draws latency by percentile of several Results; both axes are logarithmic. */
export function latencySvg(title: string, results: readonly Result[]): string {
  const [left, right, top, bottom] = [72, 20, 56, 330];
  const positions = curvePositions(Math.max(...results.map(({ messages }) => messages.received)));
  const curves = results.map(({ histograms }) => curveValues(decodeHistogram(histograms.latency), positions));
  const values = curves.flat().filter((value) => value !== null && value > 0) as number[];
  if (values.length === 0) {
    throw new RangeError("no latency to draw");
  }
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const x = (position: number): number =>
    left + ((plotWidth - left - right) * Math.log10(position)) / Math.log10(positions.at(-1) ?? 10);
  const y = (us: number): number => bottom - ((bottom - top) * (Math.log10(us) - low)) / (high - low);
  const parts: string[] = [];
  for (let power = low; power <= high; power += 1) {
    const at = y(10 ** power).toFixed(1);
    parts.push(`<path class="grid" d="M${left} ${at}H${plotWidth - right}"/>`);
    parts.push(text(left - 8, Number(at) + 4, formatUs(10 ** power).replace(/\.0+(?= )/, ""), "soft", "end"));
  }
  for (let position = 1; position <= (positions.at(-1) ?? 1) * 1.0001; position *= 10) {
    const at = x(position).toFixed(1);
    parts.push(`<path class="grid" d="M${at} ${top}V${bottom}"/>`);
    parts.push(text(Number(at), bottom + 18, percentileLabel(position), "soft", "middle"));
  }
  curves.forEach((curve, index) => {
    const points = curve.flatMap((us, at) =>
      us === null || us <= 0 ? [] : [`${x(positions[at] ?? 1).toFixed(1)} ${y(us).toFixed(1)}`],
    );
    parts.push(`<path class="l${index % lightColors.length}" d="M${points.join("L")}"/>`);
  });
  parts.push(...legend(distinctTitles(results), bottom + 46));
  return svg(title, bottom + 62, parts);
}

function legend(names: readonly string[], y: number): string[] {
  let x = 72;
  return names.flatMap((name, index) => {
    const entry = [
      `<rect class="f${index % lightColors.length}" x="${x}" y="${y - 10}" width="12" height="12" rx="2"/>`,
      text(x + 18, y, name),
    ];
    x += 40 + name.length * 7.5;
    return entry;
  });
}

function svg(title: string, height: number, parts: readonly string[]): string {
  const colors = (palette: readonly string[]): string =>
    palette.map((color, index) => `.f${index}{fill:${color}}.l${index}{stroke:${color}}`).join("");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${plotWidth} ${height}" width="${plotWidth}" height="${height}" role="img" aria-label="${escapeXml(title)}">`,
    `<style>text{font:13px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;fill:#1b1f27}.soft{fill:#5d6675}.strong{font-weight:600}.title{font-size:16px;font-weight:600}`,
    `path{fill:none;stroke-width:2}.grid{stroke:#dfe3ea;stroke-width:1}.back{fill:#fff}${colors(lightColors)}`,
    `@media(prefers-color-scheme:dark){text{fill:#e7eaf0}.soft{fill:#9aa4b4}.grid{stroke:#2d3542}.back{fill:#12151b}${colors(darkColors)}}</style>`,
    `<rect class="back" width="100%" height="100%" rx="8"/>`,
    text(16, 30, title, "title"),
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function text(x: number, y: number, content: string, style = "", anchor = "start"): string {
  return `<text class="${style}" x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escapeXml(content)}</text>`;
}
