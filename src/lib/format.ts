// Formats figures for people, on the page and in reports. `units.ts` formats what options parse back.

const oneDecimal = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** `1234567.8` becomes `1,234,568`; below 100 one decimal is kept when there is one. */
export function formatNumber(value: number): string {
  return (Math.abs(value) < 100 ? oneDecimal : whole).format(value);
}

/** For axes and small fields: `0.13`, `950`, `9,999`, `12.3k`, `4.56M`, `7G`. */
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
  return size >= 100 ? whole.format(value) : significant(value);
}

/** Bytes in the binary unit that reads best, three significant digits from 1 KiB on: `1,023 B`, `1.5 KiB`, `64 KiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? formatNumber(value) : significant(value)} ${byteUnits[unit]}`;
}

/** A latency in the unit that reads best, always three digits: `4.40 us`, `1.23 ms`, `61.0 s`. */
export function formatDurationUs(durationUs: number): string {
  if (Math.abs(durationUs) >= 999_500) {
    return `${threeDigits(durationUs / 1e6)} s`;
  }
  return Math.abs(durationUs) >= 999.5
    ? `${threeDigits(durationUs / 1e3)} ms`
    : `${threeDigits(durationUs)} us`;
}

/** How long something took or is set to take, from milliseconds: `512 ms`, `1.5 s`, `3 min 5 s`, `1 h 2 min`. */
export function formatElapsed(durationMs: number): string {
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

/** A share, as in `97.3 %`. */
export function formatPercent(percent: number): string {
  return `${percent.toFixed(1)} %`;
}

/** Three significant digits without an exponent: 0.262, 4.40, 16.4, 180, 1530. */
function threeDigits(value: number): string {
  const magnitude = Math.abs(Number(value.toPrecision(3)));
  if (magnitude >= 100 || magnitude === 0) {
    return value.toFixed(0);
  }
  return value.toFixed(magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3);
}

/** As `threeDigits`, with two decimals at most and no trailing zeros: 0.26, 1.5, 12.3, 512. */
function significant(value: number): string {
  const size = Math.abs(value);
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return String(Number(value.toFixed(decimals)));
}
