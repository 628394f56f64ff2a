// The shape of a Comparison, and the statistics that decide whether a difference is real. Pure.
//
// Each round measures two processes of every arm. Two processes of one arm differ by noise alone, so their difference
// in this run is the noise that a difference between arms has to exceed.

import { z } from "zod";
import { environmentSchema, scenarioSchema, verdicts } from "./schema.ts";
import { median, spread } from "./stats.ts";

/** What the `kind` of every Comparison says. */
export const comparisonKind = "uws-echo-bench/comparison";
/** Raised whenever a field changes its meaning, comes or goes. */
export const comparisonVersion = 1;

/** What is compared, the most telling first. */
export const figureNames = [
  "serverCpuUsPerMessage",
  "messagesPerSecond",
  "p50Us",
  "p99Us",
  "p999Us",
] as const;
export type FigureName = (typeof figureNames)[number];

/** Part of the pairs that have to point the same way. */
const agreeingShare = 0.9;
/** Ratios are quotients of floating-point numbers. */
const rounding = 1e-9;
/** Fewer pairs than this agree by chance too often: six do once in 32 times. */
const leastPairs = 6;
/** Fewer rounds than this leave the noise poorly known. */
const fewRounds = 5;

const amount = z.number().nonnegative();
const spreadSchema = z.strictObject({ median: amount, min: amount, max: amount });
const index = z.int().nonnegative();

const sampleSchema = z.strictObject({
  /** From 1. */
  round: z.int().positive(),
  /** Index in `arms`. */
  arm: index,
  /** First or second process of its arm in this round. */
  process: z.union([z.literal(1), z.literal(2)]),
  startedAt: z.iso.datetime(),
  figures: z.record(z.enum(figureNames), amount.nullable()),
  verdict: z.enum(verdicts),
  /** Why this measurement must not be used; empty when it may. */
  failures: z.array(z.string()),
});

const contrastSchema = z.strictObject({
  figure: z.enum(figureNames),
  /** Index in `arms` of the arm that is held against the first one. */
  arm: z.int().positive(),
  baseline: spreadSchema,
  value: spreadSchema,
  /** Value over baseline, pair by pair: first processes of a round with each other, second ones likewise. */
  ratio: spreadSchema,
  /** Farthest that two processes of one arm were apart in one round, as a ratio both ways. */
  noise: z.strictObject({ low: amount, high: amount }),
  finding: z.enum(["higher", "lower", "no-difference"]),
});

export const comparisonSchema = z.strictObject({
  kind: z.literal(comparisonKind),
  version: z.literal(comparisonVersion),
  startedAt: z.iso.datetime(),
  rounds: z.int().positive(),
  /** The first one is the baseline. */
  arms: z.array(z.strictObject({ name: z.string(), target: z.string() })).min(1),
  scenario: scenarioSchema,
  environment: environmentSchema,
  contrasts: z.array(contrastSchema),
  samples: z.array(sampleSchema),
  warnings: z.array(z.string()),
});

export type Sample = z.infer<typeof sampleSchema>;
export type Contrast = z.infer<typeof contrastSchema>;
export type Comparison = z.infer<typeof comparisonSchema>;

/** Every arm against the first one, in every figure that all samples know. */
export function contrastsOf(samples: readonly Sample[], arms: number): Contrast[] {
  return Array.from({ length: arms - 1 }, (_, other) => other + 1).flatMap((arm) =>
    figureNames.flatMap((figure) => contrastOf(samples, figure, arm) ?? []),
  );
}

/** One figure of one arm against the first arm; undefined when a sample does not know it. */
export function contrastOf(
  samples: readonly Sample[],
  figure: FigureName,
  arm: number,
): Contrast | undefined {
  const baseline = pairsOf(samples, figure, 0);
  const value = pairsOf(samples, figure, arm);
  if (baseline === undefined || value === undefined) {
    return undefined;
  }
  const ratios = value.flatMap(([first, second], round) => {
    const [baseFirst, baseSecond] = baseline[round] ?? [Number.NaN, Number.NaN];
    return [first / baseFirst, second / baseSecond];
  });
  const apart = [...baseline, ...value].map(([first, second]) => Math.max(first / second, second / first));
  const high = Math.max(...apart);
  // By logarithm, so that B against A is exactly the inverse of A against B.
  const ratio = { ...spread(ratios), median: Math.exp(median(ratios.map(Math.log))) };
  return {
    figure,
    arm,
    baseline: spread(baseline.flat()),
    value: spread(value.flat()),
    ratio,
    noise: { low: 1 / high, high },
    finding: findingOf(ratios, ratio.median, high),
  };
}

/** A difference is real when its median is beyond all noise, and 9 in 10 pairs agree which way it goes. */
function findingOf(ratios: readonly number[], middle: number, noise: number): Contrast["finding"] {
  if (ratios.length < leastPairs) {
    return "no-difference";
  }
  const needed = agreeingShare * ratios.length;
  const beyond = noise * (1 + rounding);
  if (middle > beyond && ratios.filter((ratio) => ratio > 1).length >= needed) {
    return "higher";
  }
  if (middle < 1 / beyond && ratios.filter((ratio) => ratio < 1).length >= needed) {
    return "lower";
  }
  return "no-difference";
}

/** One figure of all samples of one arm, where known. */
export function figuresOf(samples: readonly Sample[], figure: FigureName, arm: number): number[] {
  return samples.filter((sample) => sample.arm === arm).flatMap(({ figures }) => figures[figure] ?? []);
}

type Pair = readonly [number, number];

/** Both processes of an arm, round by round; undefined when one does not know the figure, or it is 0. */
function pairsOf(samples: readonly Sample[], figure: FigureName, arm: number): Pair[] | undefined {
  const ofArm = samples.filter((sample) => sample.arm === arm);
  const rounds = [...new Set(ofArm.map(({ round }) => round))].sort((a, b) => a - b);
  const pairs = rounds.map((round) =>
    ([1, 2] as const).map(
      (process) =>
        ofArm.find((sample) => sample.round === round && sample.process === process)?.figures[figure] ?? 0,
    ),
  );
  return pairs.length > 0 && pairs.flat().every((value) => value > 0)
    ? (pairs as unknown as Pair[])
    : undefined;
}

/** What a reader of the comparison has to know, with its figures. */
export function comparisonWarnings(samples: readonly Sample[]): string[] {
  const count = (verdict: Sample["verdict"]): number =>
    samples.filter((sample) => sample.verdict === verdict).length;
  const failed = samples.filter(({ failures }) => failures.length > 0);
  const reasons = [...new Set(failed.flatMap(({ failures }) => failures))];
  const all = samples.length;
  const rounds = new Set(samples.map(({ round }) => round)).size;
  return [
    failed.length > 0 &&
      `${failed.length} of ${all} measurements are not acceptable (${reasons.join("; ")}): the comparison is invalid.`,
    count("client-bound") > 0 &&
      `In ${count("client-bound")} of ${all} measurements the generator was the bottleneck: compare CPU time per message, not rates.`,
    count("idle") > 0 &&
      `In ${count("idle")} of ${all} measurements the target was not seen to be saturated, so its rate is not its limit.`,
    rounds < fewRounds &&
      `Only ${rounds} rounds: ${2 * rounds < leastPairs ? "too few to show any difference" : "the noise is poorly known"}; run at least ${fewRounds}.`,
  ].filter((warning) => warning !== false);
}

/** Whether every sample may be used. */
export function isAcceptable({ samples }: Pick<Comparison, "samples">): boolean {
  return samples.every(({ failures }) => failures.length === 0);
}
