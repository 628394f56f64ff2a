// The shape of a Search, the versioned JSON file of one search for the largest load that a target holds.

import { z } from "zod";
import { environmentSchema, type Result, scenarioSchema } from "./schema.ts";
import { latencySchema } from "./schema-figures.ts";

/** The `kind` of every Search. */
export const searchKind = "uws-echo-bench/search";
/** Raised whenever a field is added or removed, or changes its meaning. */
export const searchVersion = 1;

/** What is varied: messages per second over all connections, connections, or messages in flight per connection. */
export const dimensions = ["rate", "connections", "depth"] as const;

/**
 * The finding for a goal. `found`: both bounds are known and close enough. `at-least`: `lower` holds, and loads above
 * it could not be judged. `below-min`: not even the smallest load holds. `deadline`: the search ended too early.
 */
const goalVerdicts = ["found", "at-least", "below-min", "deadline"] as const;

/** What failed in a trial. `generator`: the fault may be the generator's. `nothing`: nothing could be measured. */
const trialCauses = [
  "slo",
  "rate",
  "backlog",
  "lost",
  "errors",
  "connections",
  "ended",
  "nothing",
  "generator",
] as const;

/** Why a search ended. `generator`: it was not fit, trial after trial. */
const searchStops = ["complete", "deadline", "interrupted", "target-gone", "generator"] as const;

const count = z.int().nonnegative();
const amount = z.number().nonnegative();

const outcomeSchema = z.strictObject({
  /** Held, failed, or failed while the generator was not fit. The last one counts for neither side. */
  state: z.enum(["good", "bad", "unfit"]),
  /** Null when it held. */
  cause: z.enum(trialCauses).nullable(),
  reason: z.string().nullable(),
});

/** One measurement at one load. Unknown values are null. */
const trialSchema = z.strictObject({
  load: amount,
  startedAt: z.iso.datetime(),
  /** Requested length of the measured window; bounds add these up. */
  durationMs: amount,
  messagesPerSecond: amount.nullable(),
  latencyUs: latencySchema.nullable(),
  lagUs: amount.nullable(),
  busiestThreadPercent: amount.nullable(),
  serverCpuPercent: amount.nullable(),
  serverCpuUsPerMessage: amount.nullable(),
  /** One for each goal, in their order. */
  outcomes: z.array(outcomeSchema),
});

/** A load that failed in some trials although a larger one held in most. */
const inversionSchema = z.strictObject({
  load: amount,
  trials: count,
  bad: count,
  /** The largest load that held. */
  heldAt: amount,
  /** Whether both loads are bounds. */
  isBound: z.boolean(),
});

const goalSchema = z.strictObject({
  /** As it was typed. */
  slo: z.string(),
  verdict: z.enum(goalVerdicts),
  /** The largest load below `upper` that holds; null when none is known. */
  lower: amount.nullable(),
  /** The smallest load that fails; null when none is known. */
  upper: amount.nullable(),
  /** Replies per second at `lower`, of its middle trial (with an exceed ratio of 0.5). */
  conditional: amount.nullable(),
  inversions: z.array(inversionSchema),
  /** The failure at `upper`; for a verdict other than `found`, the reason why the search ended. */
  limitedBy: z.enum([...trialCauses, "max", "min", "deadline", "interrupted", "target-gone"]).nullable(),
});

/** How loads are judged and chosen. */
const ruleSchema = z.strictObject({
  trialMs: z.number().positive(),
  /** Total time of trials after which a load is decided. */
  sumMs: z.number().positive(),
  /** Share of that time that may be bad. */
  exceedRatio: z.number().positive().lt(1),
  /** How far `upper` may be above `lower`, as a share. */
  width: z.number().positive(),
  /** Whether loads must be whole numbers. */
  isWhole: z.boolean(),
  min: amount,
  max: amount,
});

export const searchSchema = z.strictObject({
  kind: z.literal(searchKind),
  version: z.literal(searchVersion),
  label: z.string().nullable(),
  startedAt: z.iso.datetime(),
  seconds: amount,
  /** A URL, or the command that the target was started with. */
  target: z.string(),
  over: z.enum(dimensions),
  /** Each connection's rate, when connections are varied in an open loop. */
  ratePerConnection: amount.nullable(),
  /** The load of all trials; the varied part is where the search started. */
  scenario: scenarioSchema,
  rule: ruleSchema,
  /** Replies per second of a closed loop, from which a search over the rate starts. */
  saturationPerSecond: amount.nullable(),
  stop: z.enum(searchStops),
  goals: z.array(goalSchema).min(1),
  /** In the order in which they were made. */
  trials: z.array(trialSchema),
  /** A longer trial at the result of each goal that has one. */
  confirm: z.array(z.strictObject({ goal: count, trial: trialSchema })),
  /** At parts of the first goal's result. */
  latencies: z.array(z.strictObject({ share: amount, trial: trialSchema })),
  environment: environmentSchema,
  /** The command line that made it, without the program and without secrets. */
  command: z.array(z.string()).nullable(),
  /** Why the search does not answer the question; empty when it does. */
  failures: z.array(z.string()),
  warnings: z.array(z.string()),
});

export type Dimension = (typeof dimensions)[number];
export type TrialCause = (typeof trialCauses)[number];
export type TrialOutcome = z.infer<typeof outcomeSchema>;
export type Trial = z.infer<typeof trialSchema>;
export type Inversion = z.infer<typeof inversionSchema>;
export type Goal = z.infer<typeof goalSchema>;
export type Rule = z.infer<typeof ruleSchema>;
export type SearchStop = (typeof searchStops)[number];
export type Search = z.infer<typeof searchSchema>;

/** What a search keeps of a Result; undefined where nothing could be measured. */
export function sampleTrial(
  result: Result | undefined,
  about: Pick<Trial, "load" | "startedAt" | "durationMs" | "outcomes">,
): Trial {
  return {
    ...about,
    messagesPerSecond: result?.summary.messagesPerSecond ?? null,
    latencyUs: result?.summary.latencyUs ?? null,
    lagUs: result?.client.lagUs ?? null,
    busiestThreadPercent: result?.client.busiestThreadPercent ?? null,
    serverCpuPercent: result?.server?.cpuPercent ?? null,
    serverCpuUsPerMessage: result?.server?.cpuUsPerMessage ?? null,
  };
}

/** Whether the search has an answer: a load held and a larger one failed, or the largest requested one held. */
export function isAnswered({ verdict, limitedBy }: Goal): boolean {
  return verdict === "found" || (verdict === "at-least" && limitedBy === "max");
}
