// What the script of the HTML report draws: plain data, written into the page as JSON.

import type { Second } from "../result/schema.ts";

/** Every curve shares `positions`; every line over time has its own seconds. */
export interface PageData {
  readonly title: string;
  readonly positions: readonly number[];
  readonly results: readonly PageResult[];
}

export interface PageResult {
  readonly title: string;
  readonly load: string;
  readonly loop: string;
  readonly engine: string;
  readonly startedAt: string;
  readonly environment: string;
  readonly verdict: string;
  readonly verdictText: string;
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
  readonly figures: Readonly<Record<string, string>>;
  readonly latency: readonly (number | null)[];
  /** Null when it is the latency, because the loop has no schedule. */
  readonly service: readonly (number | null)[] | null;
  readonly series: readonly Second[];
}
