// The plot of latency by percentile, both axes logarithmic.

import type uPlot from "uplot";
import { formatDurationUs } from "../../../src/lib/format.ts";
import type { PageResult } from "../page-data.ts";
import { addPlot, formatKnown, lineOf, logarithmic, tenfoldLabels } from "./plot.ts";

/** Adds the curves of all results. */
export function addPercentilePlot(positions: readonly number[], results: readonly PageResult[]): void {
  const showsService = results.some(({ service }) => service !== null);
  addPlot({
    title: "Latency by percentile",
    note: showsService
      ? "Solid: from the intended send time. Dashed: service time, from the actual send. Both axes are logarithmic."
      : "From the actual send time: a closed loop does not count what a stall delays. Both axes are logarithmic.",
    isWide: true,
    build: () => {
      const curves: (readonly (number | null)[])[] = [];
      const series: uPlot.Series[] = [
        { label: "percentile", value: (_, position) => formatKnown(formatPosition, position) },
      ];
      results.forEach(({ title, latency, service }, index) => {
        curves.push(latency);
        series.push(lineOf(index, title, formatDurationUs));
        if (service !== null) {
          curves.push(service);
          series.push(lineOf(index, `${title} (service)`, formatDurationUs, true));
        }
      });
      return {
        data: [[...positions], ...curves.map((curve) => [...curve])],
        series,
        scales: { x: { time: false, distr: 3, range: () => [1, positions.at(-1) ?? 10] }, y: logarithmic },
        axes: [
          { values: tenfoldLabels(formatPosition) },
          { size: 72, values: tenfoldLabels(formatDurationUs) },
        ],
      };
    },
  });
}

/** The percentile at 1 / (1 - p): 10 is 90 %, 1000 is 99.9 %. */
function formatPosition(position: number): string {
  const percent = 100 * (1 - 1 / position);
  return `${Number(percent.toFixed(Math.max(0, Math.ceil(Math.log10(position)) - 1)))}%`;
}
