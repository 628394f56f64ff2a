// Parses stages of a rate: `30s:0..20k,1m:20k,10s:50k`.

import { formatDuration, parseDuration, parseRate, UnitError } from "../../src/lib/units.ts";
import { type Curve, constant } from "./curve.ts";

/** A straight piece of a rate, by the name that it was typed as. */
export interface Stage {
  readonly name: string;
  readonly durationMs: number;
  /** Per second. */
  readonly from: number;
  readonly to: number;
}

const mostStages = 1000;
const shortestMs = 100;
const longestMs = 7 * 86_400_000;
const highestRate = 100_000_000;

/**
 * Reads stages by commas, each TIME:RATE or TIME:FROM..TO. Without FROM, as in `30s:..20k`, a stage goes on from the
 * rate of the one before.
 * @throws UnitError that says what is allowed
 */
export function parseStages(text: string): Stage[] {
  const stages = readStages(text, parseRate);
  if (stages.every(({ from, to }) => from + to === 0)) {
    throw new UnitError(`"${text}" never sends anything: give a rate above 0`);
  }
  return stages;
}

/** Reads one value, or stages of it. @throws UnitError that says what is allowed */
export function parseCurve(text: string, parseValue: (text: string) => number): Curve {
  return text.includes(":")
    ? readStages(text, parseValue).map(({ durationMs, from, to }) => ({ durationMs, from, to }))
    : constant(parseValue(text));
}

function readStages(text: string, parseValue: (text: string) => number): Stage[] {
  const stages: Stage[] = [];
  for (const [index, part] of text.split(",").entries()) {
    const stage = parseStage(part.trim(), stages.at(-1)?.to ?? 0, parseValue);
    // A name says which of several stages it is.
    const name = stages.some((earlier) => earlier.name === stage.name)
      ? `${stage.name} (${index + 1})`
      : stage.name;
    stages.push({ ...stage, name });
  }
  const totalMs = stages.reduce((sum, { durationMs }) => sum + durationMs, 0);
  if (stages.length > mostStages || totalMs > longestMs) {
    throw new UnitError(
      `at most ${mostStages} stages of at most ${formatDuration(longestMs)} together are allowed`,
    );
  }
  return stages;
}

function parseStage(text: string, before: number, parseValue: (text: string) => number): Stage {
  const [, time, first, second] = /^([^:]+):(?:([^.]*(?:\.\d[^.]*)?)\.\.)?(.+)$/.exec(text) ?? [];
  if (time === undefined || second === undefined) {
    throw new UnitError(`"${text}" is not a stage: write TIME:RATE or TIME:FROM..TO, as in 30s:0..20k`);
  }
  const durationMs = parseDuration(time);
  const to = parseValue(second);
  const from = first === undefined ? to : first === "" ? before : parseValue(first);
  if (durationMs < shortestMs) {
    throw new UnitError(`"${text}": a stage lasts at least ${formatDuration(shortestMs)}`);
  }
  if (Math.max(from, to) > highestRate) {
    throw new UnitError(`"${text}": at most ${highestRate} is allowed`);
  }
  return { name: text, durationMs, from, to };
}
