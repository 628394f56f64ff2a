// Reports Results as .hgrm, the percentile table that HdrHistogram's tools plot. Values are in milliseconds.

import { decodeHistogram } from "../result/histogram.ts";
import type { Result } from "../result/schema.ts";

const ticksPerHalfDistance = 5;
const nsPerMs = 1e6;

/** The latency (from the intended send time) or the service time of one Result, by percentile. */
export function formatHgrm(result: Result, which: "latency" | "service" = "latency"): string {
  const { histogram, unitNs } = decodeHistogram(result.histograms[which]);
  return histogram.outputPercentileDistribution(ticksPerHalfDistance, nsPerMs / unitNs);
}
