// Reports Results as .hgrm, the percentile table that HdrHistogram's tools plot. Values are in milliseconds.

import { decodeHistogram } from "../../result/histogram.ts";
import type { Result } from "../../result/schema.ts";

const ticksPerHalfDistance = 5;
const nsPerMs = 1e6;
/** Width of the first column in HdrHistogram's own files. */
const valueWidth = 12;

/** The latency (from the intended send time) or the service time of one Result, by percentile. */
export function formatHgrm(result: Result, which: "latency" | "service" = "latency"): string {
  const { histogram, unitNs } = decodeHistogram(result.histograms[which]);
  // The library writes three decimals, which would round milliseconds to microseconds: pass nanoseconds.
  const inNs = histogram.outputPercentileDistribution(ticksPerHalfDistance, 1 / unitNs);
  return inNs
    .replace(/^ *\d+\.\d+(?= )/gm, (ns) => toMs(ns).padStart(valueWidth))
    .replace(
      /(Mean|StdDeviation|Max)( +=) +(\d+\.\d+)/g,
      (_, name: string, equals: string, ns: string) => `${name}${equals} ${toMs(ns).padStart(valueWidth)}`,
    );
}

/** Converts nanoseconds to milliseconds without rounding. */
function toMs(ns: string): string {
  return (Number(ns) / nsPerMs).toFixed(6);
}
