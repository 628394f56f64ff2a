// The grammar of sizes, durations, numbers and rates in options: docs/reference/units.md describes it.

import { UwsEchoError } from "./errors.ts";

/** A text is not a valid quantity. The message says what is allowed. */
export class UnitError extends UwsEchoError<"ERR_UNIT"> {
  override readonly name = "UnitError";

  constructor(problem: string) {
    super("ERR_UNIT", problem);
  }
}

// Keys are in lower case: the case of a unit does not matter.
const bytesPerUnit = new Map([
  ["", 1],
  ["b", 1],
  ["kb", 1000],
  ["mb", 1000 ** 2],
  ["gb", 1000 ** 3],
  ["kib", 1024],
  ["mib", 1024 ** 2],
  ["gib", 1024 ** 3],
]);

const microsecondsPerUnit = new Map([
  ["us", 1],
  ["ms", 1000],
  ["s", 1_000_000],
  ["m", 60_000_000],
  ["h", 3_600_000_000],
]);

const factorPerSuffix = new Map([
  ["", 1],
  ["k", 1000],
  ["m", 1000 ** 2],
]);

/**
 * Reads a size: bytes, or a number with B, kB, MB, GB (powers of 1000), KiB, MiB or GiB (powers of 1024).
 * @returns whole bytes, from 0 to 2^53 - 1
 * @throws UnitError
 */
export function parseSize(text: string): number {
  const bytes = parseQuantity(text, bytesPerUnit);
  if (bytes === undefined || !Number.isSafeInteger(bytes)) {
    const isFraction = bytes !== undefined && bytes < Number.MAX_SAFE_INTEGER;
    throw new UnitError(
      isFraction
        ? `"${text}" is not a whole number of bytes`
        : `"${text}" is not a size: write bytes, or use B, kB, MB, GB, KiB, MiB or GiB, as in 64KiB`,
    );
  }
  return bytes;
}

/**
 * Reads a duration: a number with us, ms, s, m or h. Only 0 needs no unit.
 * @returns milliseconds, at least 0, in steps of a microsecond or finer
 * @throws UnitError
 */
export function parseDuration(text: string): number {
  const microseconds = text.trim() === "0" ? 0 : parseQuantity(text, microsecondsPerUnit);
  if (microseconds === undefined) {
    throw new UnitError(
      `"${text}" is not a duration: give a number with us, ms, s, m or h, as in 500ms or 30s`,
    );
  }
  return microseconds / 1000;
}

/**
 * Reads a number, with `k` for thousands or `M` for millions: `20000`, `20k`, `1.5M`.
 * @returns the number, at least 0, possibly fractional
 * @throws UnitError
 */
export function parseNumber(text: string): number {
  const value = parseQuantity(text, factorPerSuffix);
  if (value === undefined) {
    throw new UnitError(`"${text}" is not a number: write digits, or use k or M, as in 20k`);
  }
  return value;
}

/**
 * Reads a rate per second: a number as `parseNumber` reads it, with or without `/s` behind it.
 * @returns the number per second, at least 0, possibly fractional
 * @throws UnitError
 */
export function parseRate(text: string): number {
  const value = parseQuantity(text.replace(/\s?\/s\s*$/i, ""), factorPerSuffix);
  if (value === undefined) {
    throw new UnitError(`"${text}" is not a rate: write a number per second, as in 500, 20k or 20k/s`);
  }
  return value;
}

/**
 * Reads a share in per cent: `2%`, `0.5 %`.
 * @returns the share, at least 0: 0.02 for `2%`
 * @throws UnitError
 */
export function parseShare(text: string): number {
  const percent = text.trim().endsWith("%")
    ? parseQuantity(text.trim().slice(0, -1).trimEnd(), factorPerSuffix)
    : undefined;
  if (percent === undefined || /[a-z]/i.test(text)) {
    throw new UnitError(`"${text}" is not a share: give a number with %, as in 2%`);
  }
  return percent / 100;
}

/** Bytes in the largest binary unit that divides them: 65536 becomes `64KiB`. `parseSize` reads it back. */
export function formatSize(bytes: number): string {
  return formatWithUnit(bytes, ["GiB", "MiB", "KiB"], bytesPerUnit) ?? `${bytes}`;
}

/** Milliseconds in the largest unit that divides them: 120000 becomes `2m`. `parseDuration` reads it back. */
export function formatDuration(milliseconds: number): string {
  // A fraction of a millisecond is not exact in binary: 1.001 * 1000 is 1000.9999999999999.
  const microseconds = Number.isInteger(milliseconds)
    ? milliseconds * 1000
    : Math.round(milliseconds * 1e6) / 1000;
  return formatWithUnit(microseconds, ["h", "m", "s", "ms"], microsecondsPerUnit) ?? `${microseconds}us`;
}

/** The digits are read as a whole number and divided last: 1.005 s must not become 1004.9999 ms. */
function parseQuantity(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const [, whole = "", fraction = "", unit = ""] = /^(\d+)(?:\.(\d+))?\s?([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = units.get(unit.toLowerCase());
  const value = Number(whole + fraction) * (factor ?? Number.NaN);
  return whole === "" || !Number.isSafeInteger(value) ? undefined : value / 10 ** fraction.length;
}

function formatWithUnit(
  value: number,
  names: readonly string[],
  units: ReadonlyMap<string, number>,
): string | undefined {
  if (value === 0) {
    return "0";
  }
  const name = names.find((candidate) => value % (units.get(candidate.toLowerCase()) ?? 1) === 0);
  return name === undefined ? undefined : `${value / (units.get(name.toLowerCase()) ?? 1)}${name}`;
}
