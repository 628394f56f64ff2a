// Makes a Comparison from samples: chooses the primary figure, draws the conclusions, and adds warnings.

import {
  type Comparison,
  type Contrast,
  comparisonKind,
  comparisonVersion,
  type FigureName,
  figureNames,
  figuresOf,
  type Sample,
} from "./comparison.ts";
import { contrast, control, rankFinding } from "./contrast.ts";

/** With fewer rounds than this, the noise is poorly known. */
const fewRounds = 5;

/** A Comparison without its conclusions. */
export interface Compared
  extends Pick<
    Comparison,
    "startedAt" | "stop" | "failedRounds" | "margin" | "arms" | "scenario" | "environment" | "samples"
  > {
  readonly isPaired: boolean;
  /** The requested figure; undefined to choose. */
  readonly primary: FigureName | undefined;
}

/** Makes the Comparison, with all conclusions from its samples. */
export function compare({ isPaired, primary: asked, ...compared }: Compared): Comparison {
  const { samples, arms, margin } = compared;
  const primary = asked ?? choosePrimary(samples, compared.scenario);
  const others = arms.slice(1).map((_, index) => ({
    arm: index + 1,
    figures: contrast({ samples, arm: index + 1, isPaired, margin, primary }),
    control: isPaired ? control(samples, index + 1) : null,
  }));
  const [second, ...further] = others;
  if (second === undefined) {
    throw new RangeError("a comparison takes two arms or more");
  }
  const comparison: Comparison = {
    kind: comparisonKind,
    version: comparisonVersion,
    startedAt: compared.startedAt,
    rounds: isPaired ? new Set(samples.map(({ round }) => round)).size : 0,
    stop: compared.stop,
    failedRounds: compared.failedRounds,
    margin,
    primary,
    figures: second.figures,
    control: second.control,
    further,
    arms,
    command: null,
    scenario: compared.scenario,
    environment: compared.environment,
    samples,
    warnings: [],
  };
  return { ...comparison, warnings: warningsOf(comparison) };
}

/** CPU time per message, which depends least on other load; if unknown, the figure that the loop measures. */
export function choosePrimary(
  samples: readonly Sample[],
  { ratePerSecond }: Pick<Comparison["scenario"], "ratePerSecond">,
): FigureName {
  const hasCpu = figuresOf(samples, "serverCpuPerMessage", 0).concat(
    figuresOf(samples, "serverCpuPerMessage", 1),
  );
  if (hasCpu.some((value) => value > 0)) {
    return "serverCpuPerMessage";
  }
  return ratePerSecond === null ? "messagesPerSecond" : "p99";
}

/** The warnings of a comparison, the most severe first. */
function warningsOf(comparison: Comparison): string[] {
  return [
    ...integrityWarnings(comparison),
    ...primaryWarnings(comparison),
    ...sampleWarnings(comparison),
  ].filter((warning) => warning !== false);
}

type Warnings = (string | false)[];

function integrityWarnings({ samples, failedRounds, stop, rounds }: Comparison): Warnings {
  const failed = samples.filter(({ failures }) => failures.length > 0);
  const reasons = [...new Set(failed.flatMap(({ failures }) => failures))];
  return [
    failed.length > 0 &&
      `${failed.length} of ${samples.length} measurements are not acceptable (${reasons.join("; ")}): the comparison is invalid.`,
    ...failedRounds.map(({ round, reason }) => `Round ${round} does not count: ${reason}.`),
    stop === "interrupted" && `Interrupted after ${countOf(rounds, "complete round")}.`,
    stop === "failures" && "Ended early because rounds kept failing.",
  ];
}

function primaryWarnings(comparison: Comparison): Warnings {
  const { primary, figures, control: controls, margin, rounds, arms } = comparison;
  const { outliers, rank } = figures[primary];
  const ofRanks = rankFinding(figures[primary], margin);
  const drift = controls?.[primary];
  return [
    ...figureNames.map((figure) => missingWarning(comparison, figure)),
    drift?.holds === false &&
      `The machine drifted: within a round, the second process of an arm had ${describeShift(drift.ratio)} of the first one's ${primary}. ` +
        "ABBA rounds cancel out a steady drift, but not a jump.",
    ofRanks !== undefined &&
      ofRanks !== figures[primary].finding &&
      `By ranks, which outliers move little, ${primary} is "${ofRanks}" (${rank?.ratio.toFixed(3)}, ${rank?.low.toFixed(3)} to ` +
        `${rank?.high.toFixed(3)}), by means "${figures[primary].finding}": take more rounds.`,
    outliers.length > 0 &&
      `Far from the others of their arm in ${primary}, and counted all the same: ${outliers
        .map(
          ({ round, arm, process }) =>
            `${arms[arm]?.name ?? arm} ${rounds === 0 ? "Result" : "round"} ${round}${rounds === 0 ? "" : ` process ${process}`}`,
        )
        .join(", ")}.`,
  ];
}

/** Warns about a figure that only some measurements have. One that none has needs no warning, unless it is the primary. */
function missingWarning(
  { figures, samples, primary, rounds }: Comparison,
  figure: FigureName,
): string | false {
  const { missing, rounds: known }: Contrast = figures[figure];
  const total = samples.filter(({ arm }) => arm < 2).length;
  if (missing === 0 || (missing === total && figure !== primary)) {
    return false;
  }
  const rest = rounds === 0 ? `${known} Results a side` : `${known} of ${countOf(rounds, "round")}`;
  return `${missing} of ${total} measurements lack ${figure}: it is based on ${rest}.`;
}

function sampleWarnings({ samples, rounds, stop, figures, primary }: Comparison): Warnings {
  const count = (verdict: Sample["verdict"]): number =>
    samples.filter((sample) => sample.verdict === verdict).length;
  const all = samples.length;
  const known = figures[primary].rounds;
  return [
    count("client-bound") > 0 &&
      `In ${count("client-bound")} of ${all} measurements the generator was the bottleneck: compare CPU time per message, not rates.`,
    count("idle") > 0 &&
      `In ${count("idle")} of ${all} measurements the target was not saturated, so its rate is not its limit.`,
    stop === "stored" &&
      "The Results were measured at different times, so any change in between counts as a difference of the targets.",
    stop === "stored" && known < 2 && "A single Result on a side gives no interval: give several of each.",
    stop !== "stored" &&
      rounds < fewRounds &&
      `Only ${countOf(rounds, "round")}: the interval is wide${rounds < 2 ? ", and there is none of a single one" : ""}. Run at least ${fewRounds}.`,
  ];
}

function describeShift(ratio: number | null): string {
  return ratio === null ? "another share" : `${(100 * ratio).toFixed(1)} %`;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
