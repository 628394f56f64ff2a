// Formats clock times. src/lib/format.ts formats figures.

/** The local time of day with milliseconds, `14:03:09.120`. */
export function formatTimeOfDay(epochMs: number): string {
  const at = new Date(epochMs);
  const pad = (value: number, width: number) => String(value).padStart(width, "0");
  return `${pad(at.getHours(), 2)}:${pad(at.getMinutes(), 2)}:${pad(at.getSeconds(), 2)}.${pad(at.getMilliseconds(), 3)}`;
}
