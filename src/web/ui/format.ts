// How the page writes numbers: octets, counts, durations, clock times. Pure; knows no document.

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB"] as const;
const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** `1536` -> `1.5 KiB`. Binary prefixes, three significant digits; below 1 KiB the exact count. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? grouped.format(value) : significant(value)} ${byteUnits[unit]}`;
}

/** `12345.6` -> `12,346`. */
export function formatCount(count: number): string {
  return grouped.format(count);
}

/** A rate or an axis label in little room: `950`, `12.3k`, `4.56M`; below 10 with up to two decimals. */
export function formatCompact(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) {
    return `${significant(value / 1e9)}G`;
  }
  if (size >= 1e6) {
    return `${significant(value / 1e6)}M`;
  }
  if (size >= 1e4) {
    return `${significant(value / 1e3)}k`;
  }
  if (size >= 100) {
    return grouped.format(value);
  }
  return significant(value);
}

/** A duration given in milliseconds: `0.35 ms`, `12.4 ms`, `1.52 s`, `3 min 5 s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) {
    return `${significant(durationMs)} ms`;
  }
  if (durationMs < 60_000) {
    return `${significant(durationMs / 1000)} s`;
  }
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 3600) {
    return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  }
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** The local time of day with milliseconds, `14:03:09.120`. */
export function formatTimeOfDay(epochMs: number): string {
  const at = new Date(epochMs);
  const pad = (value: number, width: number) => String(value).padStart(width, "0");
  return `${pad(at.getHours(), 2)}:${pad(at.getMinutes(), 2)}:${pad(at.getSeconds(), 2)}.${pad(at.getMilliseconds(), 3)}`;
}

/** Three significant digits without trailing zeros after a whole number: `1.5`, `12.3`, `512`. */
function significant(value: number): string {
  const size = Math.abs(value);
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return String(Number(value.toFixed(decimals)));
}
