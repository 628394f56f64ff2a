// Parses typed numbers. Pure.

import { formatNumber } from "../../lib/format.ts";

export type NumberResult = { readonly value: number } | { readonly problem: string };

/** Parses a whole number within bounds; separators as in `20,000` or `20 000` are allowed. */
export function readWhole(
  what: string,
  typed: string,
  bounds: { readonly min: number; readonly max: number },
): NumberResult {
  const digits = typed.replace(/[\s,_]/g, "");
  const value = /^\d+$/.test(digits) ? Number(digits) : Number.NaN;
  if (value >= bounds.min && value <= bounds.max) {
    return { value };
  }
  return {
    problem: `${what} must be a whole number from ${formatNumber(bounds.min)} to ${formatNumber(bounds.max)}.`,
  };
}
