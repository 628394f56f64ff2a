// Summarizes the round-trip times of one connection. Pure.

import { formatDurationUs } from "../../lib/format.ts";
import { createHistogram } from "../ui/histogram.ts";

export interface LatencySummary {
  record(roundTripMs: number): void;
  /** Empty before the first echo. */
  describe(): string;
}

export function createLatencySummary(): LatencySummary {
  const histogram = createHistogram();
  let count = 0;
  const at = (quantile: number) => formatDurationUs(histogram.valueAt(quantile));
  return {
    record(roundTripMs) {
      histogram.record(roundTripMs * 1000);
      count += 1;
    },
    describe() {
      if (count === 0) {
        return "";
      }
      return `p50 ${at(0.5)}, max ${formatDurationUs(histogram.max())}`;
    },
  };
}
