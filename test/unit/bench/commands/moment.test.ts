import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMoment } from "../../../../bench/commands/moment.ts";
import { UnitError } from "../../../../src/lib/units.ts";

test("moments are RFC 3339, with any offset, or seconds since 1970", () => {
  const timeMs = Date.UTC(2026, 10, 22, 18, 30, 0);
  for (const text of [
    "2026-11-22T18:30:00Z",
    "2026-11-22t18:30:00.000z",
    "2026-11-22T19:30:00+01:00",
    String(timeMs / 1000),
  ]) {
    assert.equal(parseMoment(text), timeMs, text);
  }
  assert.equal(parseMoment("1.5"), 1500);
  for (const text of ["", "now", "+30s", "2026-11-22", "2026-11-22T18:30:00", "2026-13-22T18:30:00Z", "-5"]) {
    assert.throws(() => parseMoment(text), UnitError, text);
  }
});
