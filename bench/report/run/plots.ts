// The plots of Results: latency by percentile and as a histogram, and figures over the seconds of the window.

import { decodeHistogram } from "../../result/histogram.ts";
import type { Result, Second } from "../../result/schema.ts";
import { bucketsOf } from "../buckets.ts";
import { curvePositions, curveValues } from "../curve.ts";
import type { Axis, Line, Plot } from "../frame/page.ts";

/** A last second shorter than this share of a second is left out: its few messages would look like a dip. */
const shortestShare = 0.9;

/** The percentile curve, and beside it the histogram. */
export function latencyPlots(results: readonly Result[], titles: readonly string[]): Plot[] {
  const x = curvePositions(Math.max(...results.map(({ messages }) => messages.received)));
  const hasService = results.some(({ latencyFrom }) => latencyFrom === "intended-send");
  const lines = results.flatMap(({ histograms, latencyFrom }, subject): Line[] => {
    const label = titles[subject] ?? "";
    const curveOf = (encoded: Result["histograms"]["service"]) => curveValues(decodeHistogram(encoded), x);
    const latency: Line = { label, subject, style: "solid", x, y: curveOf(histograms.latency) };
    return latencyFrom === "intended-send"
      ? [
          latency,
          { ...latency, label: `${label} (service)`, style: "dashed", y: curveOf(histograms.service) },
        ]
      : [latency];
  });
  const percentiles: Plot = {
    type: "plot",
    title: "Latency by percentile",
    note: hasService
      ? "Solid: from the intended send time. Dashed: service time, from the actual send."
      : "From the actual send time: a closed loop does not count what a stall delays.",
    x: { label: "Percentile", unit: "percentile", isLogarithmic: true },
    y: { label: "Latency", unit: "us", isLogarithmic: true },
    lines,
  };
  return [percentiles, ...histogramPlots(results, titles)];
}

function histogramPlots(results: readonly Result[], titles: readonly string[]): Plot[] {
  const buckets = bucketsOf(results.map(({ histograms }) => decodeHistogram(histograms.latency)));
  if (buckets === undefined) {
    return [];
  }
  return [
    {
      type: "plot",
      title: "Latency histogram",
      note: "Share of the messages in each bucket; 20 buckets for each power of ten.",
      x: { label: "Latency", unit: "us", isLogarithmic: true },
      y: { label: "Messages", unit: "percent" },
      lines: buckets.percents.map((y, subject) => ({
        label: titles[subject] ?? "",
        subject,
        style: "steps",
        x: buckets.edgesUs,
        y,
      })),
    },
  ];
}

interface TimePlot {
  readonly title: string;
  readonly note: string;
  readonly y: Axis;
  /** Figures of a second; each is a line for every Result. */
  readonly fields: readonly {
    readonly name: keyof Second;
    readonly suffix?: string;
    readonly style?: "dashed";
  }[];
}

const overTime: readonly TimePlot[] = [
  {
    title: "Rate over time",
    note: "Messages answered in each second.",
    y: { label: "Messages per second", unit: "number" },
    fields: [{ name: "messagesPerSecond" }],
  },
  {
    title: "Latency over time",
    note: "Solid: p99 of each second. Dashed: its median.",
    y: { label: "Latency", unit: "us", isLogarithmic: true },
    fields: [
      { name: "p99Us", suffix: "p99" },
      { name: "p50Us", suffix: "p50", style: "dashed" },
    ],
  },
  {
    title: "Generator lag over time",
    note: "How late the generator sent, p99 of each second. It is part of the latency from the intended send time.",
    y: { label: "Lag", unit: "us", isLogarithmic: true },
    fields: [{ name: "lagP99Us" }],
  },
  {
    title: "CPU over time",
    note: "100 % is one core. Solid: server. Dashed: client.",
    y: { label: "CPU", unit: "percent", atLeast: 100 },
    fields: [
      { name: "serverCpuPercent", suffix: "server" },
      { name: "clientCpuPercent", suffix: "client", style: "dashed" },
    ],
  },
  {
    title: "Server buffers over time",
    note: "Bytes that the server held back for slow readers.",
    y: { label: "Buffered", unit: "bytes", atLeast: 1024 },
    fields: [{ name: "serverBufferedBytes" }],
  },
];

/** Plots over time, for figures that at least one Result has. */
export function timePlots(results: readonly Result[], titles: readonly string[]): Plot[] {
  return overTime.flatMap(({ title, note, y, fields }) => {
    const known = fields.filter(({ name }) =>
      results.some(({ series }) => series.some((second) => second[name] != null)),
    );
    const lines = results.flatMap(({ series }, subject) => {
      const seconds = wholeSeconds(series);
      return known.map(({ name, suffix, style }): Line => {
        const label = titles[subject] ?? "";
        return {
          label: suffix === undefined ? label : `${label} (${suffix})`,
          subject,
          style: style ?? "solid",
          x: seconds.map(({ endSeconds }) => endSeconds),
          y: seconds.map((second) => second[name] ?? null),
        };
      });
    });
    const x: Axis = { label: "Time", unit: "seconds" };
    return known.length === 0 ? [] : [{ type: "plot", title, note, x, y, lines }];
  });
}

/** Removes a shorter last second. */
function wholeSeconds(series: readonly Second[]): readonly Second[] {
  const [first, ...rest] = series;
  const [before, last] = [series.at(-2), series.at(-1)];
  if (first === undefined || rest.length === 0 || before === undefined || last === undefined) {
    return series;
  }
  return last.endSeconds - before.endSeconds < shortestShare * first.endSeconds
    ? series.slice(0, -1)
    : series;
}
