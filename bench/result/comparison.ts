// Defines a Comparison: two arms or more, their samples, and the conclusions.

import { z } from "zod";
import { environmentSchema, type Result, scenarioSchema, verdicts } from "./schema.ts";

/** The `kind` of every Comparison. */
export const comparisonKind = "comparison";
/** Raised whenever a field is added or removed, or changes its meaning. */
export const comparisonVersion = 2;

/** The compared figures, the most informative first. Times are in microseconds. */
export const figureNames = ["serverCpuPerMessage", "messagesPerSecond", "p50", "p99", "p999"] as const;
export type FigureName = (typeof figureNames)[number];

/**
 * The conclusion from a ratio. `higher`, `lower`: its interval lies on that side of 1. `equivalent`: its interval lies
 * within the margin. `undecided`: neither. Outside the primary figure, `higher` and `lower` are corrected for multiple
 * tests (Holm).
 */
export const findings = ["higher", "lower", "equivalent", "undecided"] as const;
export type Finding = (typeof findings)[number];

const amount = z.number().nonnegative();
const count = z.int().nonnegative();
const figureName = z.enum(figureNames);
const spreadSchema = z.strictObject({ median: amount, min: amount, max: amount });

const sampleSchema = z.strictObject({
  /** From 1; failed rounds leave a gap. Without rounds, the index among the Results of its arm. */
  round: z.int().positive(),
  /** Index in `arms`. */
  arm: count,
  /** First or second process of its arm in this round. */
  process: z.union([z.literal(1), z.literal(2)]),
  startedAt: z.iso.datetime(),
  figures: z.record(figureName, amount.nullable()),
  verdict: z.enum(verdicts),
  /** Why this measurement must not be used; empty if it may. */
  failures: z.array(z.string()),
});

/** The ratio of an arm's figure to that of the first arm. Null: too few values. */
const contrastSchema = z.strictObject({
  ratio: amount.nullable(),
  /** The interval of the ratio, with a confidence of 95 %. */
  low: amount.nullable(),
  high: amount.nullable(),
  finding: z.enum(findings),
  /** Whether the whole interval lies beyond the margin, on one side. */
  beyondMargin: z.boolean(),
  /** The probability of a ratio at least this far from 1 without a difference; after Holm, except for the primary figure. */
  probability: amount.nullable(),
  /** The same by ranks (Hodges and Lehmann, Wilcoxon), from ten rounds on: outliers affect it little. */
  rank: z.strictObject({ ratio: amount, low: amount, high: amount }).nullable(),
  /** The smallest difference that four in five such comparisons find, as a ratio above 1. */
  detectable: amount.nullable(),
  /** Rounds (Results on each side, when there are no rounds) to find a difference of the margin four times in five. */
  roundsNeeded: count.nullable(),
  /** Rounds (Results of the smaller side) that the ratio is based on. */
  rounds: count,
  /** Measurements of both arms without the figure. */
  missing: count,
  baseline: spreadSchema.nullable(),
  value: spreadSchema.nullable(),
  /** Processes far from the others of their arm (Tukey's outer fences on logarithms). They are not excluded. */
  outliers: z.array(
    z.strictObject({
      round: count,
      arm: count,
      process: z.union([z.literal(1), z.literal(2)]),
      value: amount,
    }),
  ),
});

/** The ratio of an arm's second process in a round to its first: 1, unless something changed in between. */
const controlSchema = z.strictObject({
  ratio: amount.nullable(),
  low: amount.nullable(),
  high: amount.nullable(),
  /** Whether the interval contains 1; null if there is none. */
  holds: z.boolean().nullable(),
  /** The noise between processes of one arm: their standard deviation, as a share. */
  noise: amount.nullable(),
});

const contrastsSchema = z.record(figureName, contrastSchema);
const controlsSchema = z.record(figureName, controlSchema);

/** Why a comparison ended. */
export const stops = [
  "rounds",
  "width",
  "max-rounds",
  "deadline",
  "failures",
  "interrupted",
  "stored",
] as const;

export const comparisonSchema = z.strictObject({
  kind: z.literal(comparisonKind),
  version: z.literal(comparisonVersion),
  startedAt: z.iso.datetime(),
  /** Complete rounds, each of two processes of every arm in turns; 0 when stored Results are compared. */
  rounds: count,
  /** `width`: the interval of the primary figure is as narrow as requested. `stored`: nothing was measured. */
  stop: z.enum(stops),
  /** Failed rounds, with the reason; their measurements do not count. */
  failedRounds: z.array(z.strictObject({ round: z.int().positive(), reason: z.string() })),
  /** A difference up to this share is negligible. */
  margin: z.number().positive(),
  /** The figure that decides; the others are exploratory. */
  primary: figureName,
  /** The ratios of the second arm to the first. */
  figures: contrastsSchema,
  /** Each arm against itself; null without rounds. */
  control: controlsSchema.nullable(),
  /** The ratios of further arms to the first. */
  further: z.array(
    z.strictObject({ arm: count, figures: contrastsSchema, control: controlsSchema.nullable() }),
  ),
  /** The first one is the baseline. */
  arms: z.array(z.strictObject({ name: z.string(), target: z.string() })).min(2),
  /** As in a Result: the command line that made it, without secrets. Null where there was none. */
  command: z.array(z.string()).nullable(),
  scenario: scenarioSchema,
  environment: environmentSchema,
  samples: z.array(sampleSchema).min(2),
  warnings: z.array(z.string()),
});

export type Sample = z.infer<typeof sampleSchema>;
export type Contrast = z.infer<typeof contrastSchema>;
export type Contrasts = z.infer<typeof contrastsSchema>;
export type Control = z.infer<typeof controlSchema>;
export type Controls = z.infer<typeof controlsSchema>;
export type Stop = (typeof stops)[number];
export type Comparison = z.infer<typeof comparisonSchema>;

/** The parts of a Result that a Comparison stores. */
export function sampleOf(result: Result): Pick<Sample, "startedAt" | "figures" | "verdict" | "failures"> {
  const { latencyUs, messagesPerSecond } = result.summary;
  return {
    startedAt: result.window.startedAt,
    figures: {
      serverCpuPerMessage: result.server?.cpuUsPerMessage ?? null,
      messagesPerSecond,
      p50: latencyUs?.p50 ?? null,
      p99: latencyUs?.p99 ?? null,
      p999: latencyUs?.p999 ?? null,
    },
    verdict: result.verdict,
    failures: result.failures,
  };
}

/** The conclusions about an arm compared with the first. */
export function contrastsOf({ figures, further }: Comparison, arm: number): Contrasts | undefined {
  return arm === 1 ? figures : further.find((entry) => entry.arm === arm)?.figures;
}

/** One figure of all samples of one arm, where known. */
export function figuresOf(samples: readonly Sample[], figure: FigureName, arm: number): number[] {
  return samples.filter((sample) => sample.arm === arm).flatMap(({ figures }) => figures[figure] ?? []);
}

/** Whether every measurement may be used, and every requested round is complete. */
export function isAcceptable({
  samples,
  failedRounds,
  stop,
}: Pick<Comparison, "samples" | "failedRounds" | "stop">): boolean {
  return (
    samples.every(({ failures }) => failures.length === 0) &&
    failedRounds.length === 0 &&
    stop !== "interrupted" &&
    stop !== "failures"
  );
}
