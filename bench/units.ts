// Owns the sizes, durations and counts that people type and read: parsing and formatting them.
// Must not know which option a text came from, nor anything of a measurement.

/** A text that is not the quantity it should be; the message says what is allowed. */
export class UnitError extends Error {
  override readonly name = "UnitError";
}

const bytesPerUnit = new Map([
  ["", 1],
  ["b", 1],
  ["kib", 1024],
  ["mib", 1024 ** 2],
  ["gib", 1024 ** 3],
]);

const millisecondsPerUnit = new Map([
  ["us", 0.001],
  ["ms", 1],
  ["", 1000],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

const factorPerSuffix = new Map([
  ["", 1],
  ["k", 1e3],
  ["m", 1e6],
]);

function parseQuantity(text: string, factors: ReadonlyMap<string, number>, allowed: string): number {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = factors.get(unit.toLowerCase());
  if (digits === "" || factor === undefined) {
    throw new UnitError(`"${text}" is not ${allowed}`);
  }
  return Number(digits) * factor;
}

/**
 * Reads a size: plain bytes or a binary unit (`64`, `64B`, `4KiB`, `16MiB`, `1GiB`).
 * @returns bytes, a whole number >= 0
 * @throws UnitError
 */
export function parseBytes(text: string): number {
  const bytes = parseQuantity(text, bytesPerUnit, "a size: write bytes, or use KiB, MiB or GiB, as in 64KiB");
  if (!Number.isSafeInteger(bytes)) {
    throw new UnitError(`"${text}" is not a whole number of bytes`);
  }
  return bytes;
}

/**
 * Reads a moment: RFC 3339 (`2026-11-22T18:30:00Z`, `2026-11-22T19:30:00.5+01:00`), or seconds since 1970 (`date +%s`).
 * @returns milliseconds since 1970
 * @throws UnitError
 */
export function parseMoment(text: string): number {
  const isEpoch = /^\d+(?:\.\d+)?$/.test(text);
  const isRfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i.test(text);
  const timeMs = isEpoch ? Number(text) * 1000 : isRfc3339 ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(timeMs)) {
    throw new UnitError(
      `"${text}" is not a moment: write 2026-11-22T18:30:00Z, or seconds since 1970 as date +%s prints them`,
    );
  }
  return timeMs;
}

/**
 * Reads a duration (`250us`, `500ms`, `30s`, `2m`, `1h`); a bare number means seconds.
 * @returns milliseconds, >= 0, possibly fractional
 * @throws UnitError
 */
export function parseDurationMs(text: string): number {
  return parseQuantity(
    text,
    millisecondsPerUnit,
    "a duration: write seconds, or use us, ms, s, m or h, as in 500ms",
  );
}

/**
 * Reads a number with an optional `k` or `M` (`20000`, `20k`, `1.5M`), a count or a rate.
 * @returns the number, >= 0, possibly fractional
 * @throws UnitError
 */
export function parseNumber(text: string): number {
  return parseQuantity(text, factorPerSuffix, "a number: write digits, or use k or M, as in 20k");
}

/** Three significant digits, without an exponent: 0.262, 4.40, 16.4, 180, 1530. */
function threeDigits(value: number): string {
  const magnitude = Math.abs(Number(value.toPrecision(3)));
  if (magnitude >= 100 || magnitude === 0) {
    return value.toFixed(0);
  }
  return value.toFixed(magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3);
}

/** `1234567.8` becomes `1,234,568`; below 100 one decimal is kept when there is one. */
export function formatNumber(value: number): string {
  const maximumFractionDigits = Math.abs(value) < 100 ? 1 : 0;
  return value.toLocaleString("en-US", { maximumFractionDigits });
}

/** Microseconds in the unit that reads best: `4.40 us`, `1.23 ms`, `2.50 s`. */
export function formatDurationUs(durationUs: number): string {
  if (Math.abs(durationUs) >= 999_500) {
    return `${threeDigits(durationUs / 1e6)} s`;
  }
  return Math.abs(durationUs) >= 999.5
    ? `${threeDigits(durationUs / 1e3)} ms`
    : `${threeDigits(durationUs)} us`;
}

/** Bytes in the binary unit that reads best: `64 B`, `4.00 KiB`, `16.0 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${formatNumber(value)} B` : `${threeDigits(value)} ${units[unit]}`;
}

/** A share of one CPU core, as in `97.3 %`. */
export function formatPercent(percent: number): string {
  return `${percent.toFixed(1)} %`;
}
