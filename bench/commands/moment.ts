// Reads a point in time from an option.

import { UnitError } from "../../src/lib/units.ts";

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
      `"${text}" is not a point in time: write 2026-11-22T18:30:00Z, or seconds since 1970 as date +%s prints them`,
    );
  }
  return timeMs;
}
