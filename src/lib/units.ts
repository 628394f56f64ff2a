// Sizes and durations as people write them. It knows no option.

const sizeUnits = new Map([
  ["", 1],
  ["B", 1],
  ["kB", 1000],
  ["MB", 1000 ** 2],
  ["GB", 1000 ** 3],
  ["KiB", 1024],
  ["MiB", 1024 ** 2],
  ["GiB", 1024 ** 3],
]);

const durationUnits = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/**
 * Reads a size such as `4096`, `64KiB`, `16MiB` or `1GB`.
 * @returns whole bytes, or undefined when the text is no size
 */
export function parseSize(text: string): number | undefined {
  return parseWithUnit(text, sizeUnits);
}

/**
 * Reads a duration such as `500ms`, `30s`, `2m` or `1h`; `0` needs no unit.
 * @returns whole milliseconds, or undefined when the text is no duration
 */
export function parseDuration(text: string): number | undefined {
  return text.trim() === "0" ? 0 : parseWithUnit(text, durationUnits);
}

/** Bytes in the largest binary unit that divides them: 65536 becomes `64KiB`. */
export function formatSize(bytes: number): string {
  return formatWithUnit(bytes, ["GiB", "MiB", "KiB"], sizeUnits) ?? `${bytes}`;
}

/** Milliseconds in the largest unit that divides them: 120000 becomes `2m`. */
export function formatDuration(milliseconds: number): string {
  return formatWithUnit(milliseconds, ["h", "m", "s"], durationUnits) ?? `${milliseconds}ms`;
}

function parseWithUnit(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim());
  const factor = units.get(match?.[2] ?? "?");
  if (match === null || factor === undefined) {
    return undefined;
  }
  const value = Number(match[1]) * factor;
  return Number.isSafeInteger(value) ? value : undefined;
}

function formatWithUnit(
  value: number,
  names: readonly string[],
  units: ReadonlyMap<string, number>,
): string | undefined {
  if (value === 0) {
    return "0";
  }
  const name = names.find((candidate) => value % (units.get(candidate) ?? 1) === 0);
  return name === undefined ? undefined : `${value / (units.get(name) ?? 1)}${name}`;
}
