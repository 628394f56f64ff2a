// The plots of the Server panel, over the last two minutes.

import { formatBytes, formatCompact } from "../../lib/format.ts";
import { make } from "../ui/dom.ts";
import { binarySteps, countSteps, createLinePlot, type Plot, type PlotColor } from "../ui/plots.ts";
import type { Rates, Reading } from "./figures.ts";

export interface ServerPlots {
  add(reading: Reading, rates: Rates | undefined): void;
  /** Adds a gap for a failed reading. */
  gap(atMs: number): void;
}

const spanSeconds = 120;

type Value = number | undefined;

/** One plot: its title, and the figures that it draws. */
interface Chart {
  readonly title: string;
  readonly wide?: true;
  /** The names of the lines, for a plot of several. */
  readonly legend?: readonly string[];
  readonly steps?: readonly number[];
  readonly atLeast: number;
  readonly colors: readonly PlotColor[];
  readonly format: (value: number) => string;
  readonly values: (reading: Reading, rates: Rates | undefined) => readonly Value[];
  /** Formats the figures for the head of the plot. */
  readonly words: (values: readonly Value[]) => string;
}

const percent = (value: number) => `${formatCompact(value)} %`;
const one = (format: (value: number) => string) => (values: readonly Value[]) => written(values[0], format);

const charts: readonly Chart[] = [
  {
    title: "Messages/s",
    wide: true,
    legend: ["in", "out"],
    atLeast: 10,
    colors: ["--plot-a", "--plot-b"],
    format: formatCompact,
    values: (_, rates) => [rates?.messagesIn, rates?.messagesOut],
    words: ([incoming, outgoing]) =>
      `${written(incoming, formatCompact)} in, ${written(outgoing, formatCompact)} out`,
  },
  {
    title: "Connections",
    steps: countSteps,
    atLeast: 2,
    colors: ["--plot-a"],
    format: formatCompact,
    values: (reading) => [reading.connections],
    words: one(formatCompact),
  },
  {
    title: "Drops/s",
    steps: countSteps,
    atLeast: 1,
    colors: ["--plot-c"],
    format: formatCompact,
    values: (_, rates) => [rates?.drops],
    words: one(formatCompact),
  },
  {
    title: "Buffered",
    steps: binarySteps,
    atLeast: 1024,
    colors: ["--plot-c"],
    format: formatBytes,
    values: (reading) => [reading.bufferedBytes],
    words: one(formatBytes),
  },
  {
    title: "Event loop",
    atLeast: 100,
    colors: ["--plot-a"],
    format: percent,
    values: (reading) => [
      reading.eventLoops.length === 0 ? undefined : 100 * Math.max(...reading.eventLoops),
    ],
    words: one(percent),
  },
  {
    title: "CPU",
    atLeast: 100,
    colors: ["--plot-a"],
    format: percent,
    values: (_, rates) => [rates?.cpuPercent],
    words: one(percent),
  },
  {
    title: "Memory",
    steps: binarySteps,
    atLeast: 64 * 1024 * 1024,
    colors: ["--plot-b"],
    format: formatBytes,
    values: (reading) => [reading.memoryBytes],
    words: one(formatBytes),
  },
];

export function createServerPlots(place: HTMLElement): ServerPlots {
  const drawn = charts.map((chart) => drawChart(place, chart));
  const times: number[] = [];

  function push(atMs: number, valuesOf: (chart: Chart) => readonly Value[]): void {
    times.push(atMs / 1000);
    const old = times.findIndex((time) => time >= atMs / 1000 - spanSeconds);
    times.splice(0, old);
    const ages = times.map((time) => time - atMs / 1000);
    for (const one of drawn) {
      one.push(ages, valuesOf(one.chart), old);
    }
  }

  return {
    add: (reading, rates) => push(reading.atMs, (chart) => chart.values(reading, rates)),
    gap: (atMs) => push(atMs, (chart) => chart.colors.map(() => undefined)),
  };
}

interface Drawn {
  readonly chart: Chart;
  /** Adds one value for each series and drops the first `old` values. Ages are in seconds, 0 for the newest. */
  push(ages: readonly number[], values: readonly Value[], old: number): void;
}

function drawChart(place: HTMLElement, chart: Chart): Drawn {
  const value = make("span", "value", "–");
  const canvas = make("div", "plot");
  canvas.setAttribute("aria-hidden", "true");
  const keys = (chart.legend ?? []).map((name, at) =>
    make("span", `key ${(chart.colors[at] ?? "--plot-a").replace("--plot", "key")}`, name),
  );
  const head = make("div", "plot-head", make("h3", "", chart.title), ...keys, value);
  place.append(make("section", chart.wide ? "plot-box wide" : "plot-box", head, canvas));
  const series: (number | null)[][] = chart.colors.map(() => []);
  let hovered: number | undefined;
  let now: readonly number[] = [];

  function write(): void {
    const at = hovered ?? now.length - 1;
    const words = chart.words(series.map((values) => values[at] ?? undefined));
    const age =
      hovered === undefined ? "" : `${formatCompact(Math.round((now[at] ?? 0) - (now.at(-1) ?? 0)))} s: `;
    value.replaceChildren(make("small", "", age), words);
  }

  const plot: Plot = createLinePlot(canvas, {
    height: chart.wide ? 132 : 72,
    colors: chart.colors,
    format: chart.format,
    atLeast: chart.atLeast,
    rangeX: [-spanSeconds, 0],
    syncKey: "server",
    ...(chart.steps === undefined ? {} : { stepsY: chart.steps }),
    ...(chart.wide ? { formatX: writeAge, stepsX: [30] } : {}),
    hovered(index) {
      hovered = index;
      write();
    },
  });

  return {
    chart,
    push(ages, values, old) {
      now = ages;
      for (const [at, list] of series.entries()) {
        list.push(values[at] ?? null);
        list.splice(0, old);
      }
      plot.setData([ages, ...series]);
      write();
    },
  };
}

function writeAge(seconds: number): string {
  return Math.abs(seconds) < 0.5 ? "now" : `${Math.round(seconds)} s`;
}

function written(value: Value, format: (value: number) => string): string {
  return value === undefined ? "–" : format(value);
}
