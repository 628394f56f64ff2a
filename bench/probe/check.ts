// The contract of a check.

import type { Checked, Finding } from "../result/check.ts";
import type { Traits, Way } from "./way.ts";

export interface Check extends Pick<Checked, "id" | "group" | "title"> {
  /** What the target has to do for this check to say anything. */
  readonly needs?: readonly (keyof Traits)[];
  run(way: Way, limits: Limits): Promise<Finding>;
}

/** What the command line allows. */
export interface Limits {
  readonly maxSizeBytes: number;
  /** For how long a connection has to stay. */
  readonly idleMs: number;
}
