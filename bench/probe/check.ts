// The contract of a check.

import type { Checked, Finding } from "../result/check.ts";
import type { Traits, Way } from "./way.ts";

export interface Check extends Pick<Checked, "id" | "group" | "title"> {
  /** Traits that the target needs for this check. */
  readonly needs?: readonly (keyof Traits)[];
  run(way: Way, limits: Limits): Promise<Finding>;
}

/** Limits from the command line. */
export interface Limits {
  readonly maxSizeBytes: number;
  /** How long an idle connection must stay open. */
  readonly idleMs: number;
}
