// Extracts the parts that the documents of several commands share from a session's outcome.

import { formatNumber } from "../../src/lib/format.ts";
import type { CounterName } from "../load/metrics.ts";
import type { Environment } from "../result/schema.ts";
import type { Close } from "../result/schema-figures.ts";
import type { MetThreshold } from "../result/session-document.ts";
import { formatActual } from "../result/threshold.ts";
import { declinedCompression, silentReplicas } from "../result/warnings.ts";
import type { Target } from "../scenario/scenario.ts";
import type { ServerSample } from "../target/sampler.ts";
import type { GroupFigures } from "./figures.ts";
import type { SessionOutcome } from "./session.ts";
import { silentIn } from "./usage.ts";

/** The part that does not depend on the command. */
export interface DocumentHead {
  readonly label: string | null;
  readonly startedAt: string;
  readonly command: null;
  readonly target: { readonly url: string; readonly local: boolean };
  readonly partial: { readonly reason: string } | null;
  readonly seed: number;
  readonly payloadSha256: Record<string, string>;
  readonly closes: Close[];
  readonly errors: Record<string, number>;
  readonly environment: Environment;
}

export function documentHead(
  { label, target }: { readonly label: string | null; readonly target: { readonly url: string } },
  outcome: SessionOutcome,
): DocumentHead {
  const { startedAt, locality, endedEarly, errors, environment, seed, payloadSha256 } = outcome;
  return {
    label,
    startedAt: startedAt.toISOString(),
    command: null,
    target: { url: target.url, local: locality.local },
    partial: endedEarly === null ? null : { reason: endedEarly.reason },
    seed,
    payloadSha256: { ...payloadSha256 },
    closes: figuresOf(outcome).flatMap(({ closes }) => closes.map((close) => ({ ...close }))),
    errors: Object.fromEntries(Object.entries(errors).map(([kind, { count }]) => [kind, count])),
    environment,
  };
}

/** The figures of all groups, or of one, in chronological order: connecting first. */
export function figuresOf({ connect, steps }: SessionOutcome, group?: string): GroupFigures[] {
  return [connect, ...steps.map(({ groups }) => groups)].flatMap((groups) =>
    Object.entries(groups).flatMap(([name, figures]) =>
      group === undefined || name === group ? [figures] : [],
    ),
  );
}

/** The sum of a counter over the whole session. */
export function countOf(outcome: SessionOutcome, counter: CounterName, group?: string): number {
  return figuresOf(outcome, group).reduce((sum, { counters }) => sum + counters[counter], 0);
}

/** The server's samples in a step; empty if there was no such step. */
export function samplesOf({ steps }: SessionOutcome, step: string): readonly ServerSample[] {
  return steps.find(({ name }) => name === step)?.server?.samples ?? [];
}

/** The later half of the samples, after transients have settled. */
export function settled(samples: readonly ServerSample[]): readonly ServerSample[] {
  return samples.slice(Math.floor(samples.length / 2));
}

/** CPU time of the server between two samples, in per cent of one core; null if unknown. */
export function cpuPercentOf(samples: readonly ServerSample[]): number | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.takenNs <= first.takenNs || last.replicas > 1) {
    return null;
  }
  return (1e11 * Math.max(0, last.cpuSeconds - first.cpuSeconds)) / (last.takenNs - first.takenNs);
}

/** Failures common to all documents: an early end, and thresholds that were not met. */
export function commonFailures({
  partial,
  thresholds,
}: {
  readonly partial: DocumentHead["partial"];
  readonly thresholds: readonly MetThreshold[];
}): string[] {
  return [
    ...(partial === null ? [] : [`the session ended early: ${partial.reason}`]),
    ...thresholds
      .filter(({ passed }) => !passed)
      .map((threshold) => `threshold ${threshold.expression} was not met: it was ${formatActual(threshold)}`),
  ];
}

/** Warns of connections that declined the compression offered to them, and of replicas whose metrics are missing. */
export function outcomeWarnings({ deflate }: Pick<Target, "deflate">, outcome: SessionOutcome): string[] {
  const samples = outcome.steps.flatMap(({ server }) => server?.samples ?? []);
  return [
    deflate ? declinedCompression(countOf(outcome, "opened"), countOf(outcome, "compressed")) : null,
    silentReplicas(silentIn(samples)),
  ].filter((warning) => warning !== null);
}

/** `3 connections failed`; undefined for none. */
export function countedFailure(count: number, one: string, many: string): string[] {
  return count === 0 ? [] : [`${formatNumber(count)} ${count === 1 ? one : many}`];
}
