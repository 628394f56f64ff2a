// Formats the phrases and figures that all reports of a Search share.

import { formatBytes, formatElapsed, formatNumber, formatPercent } from "../../../src/lib/format.ts";
import { edgesOf, weigh } from "../../result/bounds.ts";
import {
  type Dimension,
  type Goal,
  isAnswered,
  type Search,
  type Trial,
  type TrialOutcome,
} from "../../result/search.ts";
import { formatUs } from "../describe.ts";

/** `18,400/s`, `2,000 connections`, `16 in flight` */
export function formatLoad(load: number, over: Dimension): string {
  switch (over) {
    case "rate":
      return `${formatNumber(load)}/s`;
    case "connections":
      return `${formatNumber(load)} ${load === 1 ? "connection" : "connections"}`;
    case "depth":
      return `${formatNumber(load)} in flight`;
  }
}

/** An objective with spaces: `p99 < 5 ms`. */
export function formatSlo(slo: string): string {
  return slo
    .replace(/\s+/g, "")
    .replace(/(<=|>=|==|!=|<|>)/g, " $1 ")
    .replace(/(\d)(us|ms|s|m|h|%|[kmg]i?b|b)\b/gi, "$1 $2")
    .replace(/(\d)%/g, "$1 %")
    .replaceAll(",", " and ");
}

/** `holds 18,400/s with p99 < 5 ms; failed at 18,700/s` */
export function describeGoal(goal: Goal, search: Pick<Search, "over" | "trials" | "goals" | "rule">): string {
  const { lower, upper, verdict, limitedBy } = goal;
  const slo = formatSlo(goal.slo);
  const load = (value: number): string => formatLoad(value, search.over);
  const held = lower === null ? undefined : `holds ${load(lower)} with ${slo}`;
  switch (verdict) {
    case "found":
      return `${held}; failed at ${load(upper ?? 0)}`;
    case "at-least":
      return limitedBy === "max"
        ? `${held}, the most that was asked (--max)`
        : `holds at least ${load(lower ?? 0)} with ${slo}: beyond that the generator was the limit`;
    case "below-min":
      return limitedBy === "generator"
        ? `${slo} cannot be judged: the generator was not fit even at ${load(search.rule.min)}`
        : `does not hold ${slo} even at ${load(upper ?? search.rule.min)}, the least that was tried (--min)`;
    case "deadline": {
      const known = [held, upper === null ? undefined : `failed at ${load(upper)}`].filter(
        (part) => part !== undefined,
      );
      const impression = known.length === 2 ? [] : [impressionOf(goal, search)];
      return [...known, ...impression, stops[limitedBy as keyof typeof stops]].join("; ");
    }
  }
}

/** Describes single trials, if there are too few for a bound. */
function impressionOf(
  { slo }: Goal,
  { goals, trials, rule, over }: Pick<Search, "over" | "trials" | "goals" | "rule">,
): string {
  const index = goals.findIndex((goal) => goal.slo === slo);
  const { lower, ceiling } = edgesOf(weigh(trials, index), rule, rule.trialMs);
  const said = [
    lower === undefined ? undefined : `held at ${formatLoad(lower.load, over)}`,
    ceiling === undefined ? undefined : `not at ${formatLoad(ceiling.load, over)}`,
  ].filter((part) => part !== undefined);
  return said.length === 0
    ? `nothing is known of ${formatSlo(slo)}`
    : `in the first trials ${formatSlo(slo)} ${said.join(", ")}`;
}

const stops = {
  deadline: "the time was over (--deadline)",
  interrupted: "the search was interrupted",
  generator: "the generator was not fit in trial after trial: this machine is too busy, or too slow",
  "target-gone": "nothing could be measured any more: the target is gone",
} as const;

/** The failure at the upper bound, as its trials describe it. */
export function reasonAt({ upper }: Goal, index: number, trials: readonly Trial[]): string | undefined {
  return (
    trials
      .filter(({ load }) => load === upper)
      .map(({ outcomes }) => outcomes[index])
      .find((outcome) => outcome?.state === "bad")?.reason ?? undefined
  );
}

/** `rate over 64 connections, even arrivals, 64 B binary, 1 thread` */
export function describeSetting({ over, scenario, ratePerConnection }: Search): string {
  const { connections, depth, arrivals, payloadBytes, type, ratePerSecond } = scenario;
  const sizes = payloadBytes.map(formatBytes).join(" / ");
  const sockets = `${formatNumber(connections)} ${connections === 1 ? "connection" : "connections"}`;
  const pace =
    over === "rate"
      ? `messages per second over ${sockets} (${arrivals ?? "even"} arrivals)`
      : over === "depth"
        ? `messages in flight on each of ${sockets}`
        : ratePerSecond === null
          ? `connections with ${formatNumber(depth ?? 1)} in flight each`
          : `connections with ${formatNumber(ratePerConnection ?? 0)} messages/s each`;
  return `${pace}, ${sizes} ${type}`;
}

/** `23 trials of 2 s after 1 s in 1 min 12 s; a load is decided by 14 s of trials, of which 50 % may fail` */
export function describeMethod({ trials, rule, scenario, seconds, saturationPerSecond }: Search): string {
  const { trialMs, sumMs, exceedRatio, width } = rule;
  const start =
    saturationPerSecond === null ? "" : `, from ${formatNumber(saturationPerSecond)}/s in a closed loop`;
  return (
    `${trials.length} trials of ${formatElapsed(trialMs)} after ${formatElapsed(scenario.warmupMs)}${start}, ` +
    `${formatElapsed(seconds * 1000)} in all; ${formatElapsed(sumMs)} of trials decide about a load, ` +
    `of which ${formatShare(exceedRatio)} may fail; bounds are to be within ${formatShare(width)}`
  );
}

export function formatShare(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`;
}

/** Describes loads that failed in trials although larger ones held, a sentence each. */
export function describeInversions({ goals, over }: Pick<Search, "goals" | "over">): string[] {
  return goals.flatMap(({ slo, inversions }) =>
    inversions.map(({ load, trials, bad, heldAt, isBound }) => {
      const what = `${bad} of ${trials} ${trials === 1 ? "trial" : "trials"} failed at ${formatLoad(load, over)}`;
      const bound = isBound ? ", and so did the search" : "";
      return `Inversion (${formatSlo(slo)}): ${what}, although ${formatLoad(heldAt, over)} held${bound}.`;
    }),
  );
}

/** Why a Search does not answer its goals, one sentence each; empty if it does. */
export function failuresOf(search: Omit<Search, "failures" | "warnings">): string[] {
  const { goals, stop } = search;
  const unanswered = goals.filter((goal) => !isAnswered(goal)).map((goal) => describeGoal(goal, search));
  const isCut = stop !== "complete" && unanswered.length === 0;
  return [
    ...unanswered,
    ...unconfirmed(search),
    ...(isCut ? [`${stops[stop]}, so not everything was confirmed`] : []),
  ];
}

/** Describes results that a longer trial contradicts, a sentence each. */
export function unconfirmed({ confirm, goals, over }: Pick<Search, "confirm" | "goals" | "over">): string[] {
  return confirm.flatMap(({ goal, trial }) => {
    const outcome = trial.outcomes[goal];
    return outcome === undefined || outcome.state === "good"
      ? []
      : [
          `the confirming trial of ${formatElapsed(trial.durationMs)} at ${formatLoad(trial.load, over)} did not hold ` +
            `${formatSlo(goals[goal]?.slo ?? "")}: ${outcome.reason ?? "it failed"}`,
        ];
  });
}

const states: Readonly<Record<TrialOutcome["state"], string>> = {
  good: "held",
  bad: "failed",
  unfit: "says nothing",
};

/** `18,400/s: held, p99 3.21 ms` */
export function describeTrial(trial: Trial, over: Dimension, slos: readonly string[]): string {
  const { latencyUs, outcomes } = trial;
  const said = outcomes.map(({ state, reason }, goal) => {
    const which = slos.length > 1 ? `${slos[goal]} ` : "";
    return `${which}${states[state]}${reason === null ? "" : ` (${reason})`}`;
  });
  return `${formatLoad(trial.load, over)}: ${said.join(", ")}${latencyUs === null ? "" : `, p99 ${formatUs(latencyUs.p99)}`}`;
}

/** Cells of a table of trials: latencies and the target's CPU time. */
export const trialColumns: readonly (readonly [string, (trial: Trial) => string])[] = [
  ["p50", ({ latencyUs }) => formatUs(latencyUs?.p50)],
  ["p99", ({ latencyUs }) => formatUs(latencyUs?.p99)],
  ["p99.9", ({ latencyUs }) => formatUs(latencyUs?.p999)],
  ["max", ({ latencyUs }) => formatUs(latencyUs?.max)],
  [
    "server CPU",
    ({ serverCpuPercent }) => (serverCpuPercent === null ? "-" : formatPercent(serverCpuPercent)),
  ],
];

/** The trials to show: at the result, and at shares of it. */
export function keyTrials({ confirm, latencies }: Search): { title: string; trial: Trial }[] {
  const distinct = confirm.filter(
    ({ trial }, index) => confirm.findIndex((other) => other.trial.load === trial.load) === index,
  );
  return [
    ...latencies.map(({ share, trial }) => ({ title: formatShare(share), trial })),
    ...distinct.map(({ trial }) => ({ title: `${formatElapsed(trial.durationMs)} at the result`, trial })),
  ];
}
