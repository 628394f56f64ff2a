import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  formatBytes,
  formatDurationUs,
  formatNumber,
  parseBytes,
  parseDurationMs,
  parseMoment,
  parseNumber,
  UnitError,
} from "../../../bench/units.ts";

test("sizes are plain bytes or binary units", () => {
  const sizes = {
    "0": 0,
    "64": 64,
    "64B": 64,
    "4KiB": 4096,
    "1.5kib": 1536,
    "16 MiB": 16_777_216,
    "1GiB": 2 ** 30,
  };
  for (const [text, bytes] of Object.entries(sizes)) {
    assert.equal(parseBytes(text), bytes, text);
  }
});

test("durations have a unit, or are seconds", () => {
  const durations = {
    "250us": 0.25,
    "500ms": 500,
    "30s": 30_000,
    "2m": 120_000,
    "1h": 3_600_000,
    "10": 10_000,
  };
  for (const [text, ms] of Object.entries(durations)) {
    assert.equal(parseDurationMs(text), ms, text);
  }
});

test("numbers may have k or M", () => {
  assert.equal(parseNumber("20k"), 20_000);
  assert.equal(parseNumber("1.5M"), 1_500_000);
});

test("what is no quantity is refused with what is allowed", () => {
  for (const text of ["", "-1", "1e3", "KiB", "64KB", "0x10", "1,5", "NaN", "5 apples"]) {
    assert.throws(
      () => parseBytes(text),
      (error) => error instanceof UnitError && /64KiB/.test(error.message),
      text,
    );
    assert.throws(() => parseDurationMs(text), UnitError, text);
    assert.throws(() => parseNumber(text), UnitError, text);
  }
  assert.throws(() => parseBytes("0.3"), /whole number of bytes/);
});

test("durations are shown with three digits in the unit that reads best", () => {
  const shown = [0, 0.262, 4.4, 16.42, 180, 999.4, 999.6, 20_000, 999_499, 999_501, 61_000_000].map(
    formatDurationUs,
  );
  assert.deepEqual(shown, [
    "0 us",
    "0.262 us",
    "4.40 us",
    "16.4 us",
    "180 us",
    "999 us",
    "1.00 ms",
    "20.0 ms",
    "999 ms",
    "1.00 s",
    "61.0 s",
  ]);
});

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

test("sizes are shown in the unit that reads best", () => {
  assert.deepEqual([0, 64, 1000, 1024, 65_536, 2 ** 30].map(formatBytes), [
    "0 B",
    "64 B",
    "1,000 B",
    "1.00 KiB",
    "64.0 KiB",
    "1.00 GiB",
  ]);
});

test("a shown number can be told from its neighbours at three digits", () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 999_000 }), (us) => {
      const [value = "", unit] = formatDurationUs(us).split(" ");
      const back = Number(value) * (unit === "ms" ? 1000 : 1);
      assert.ok(Math.abs(back - us) <= us * 0.005);
    }),
  );
  assert.equal(formatNumber(1_234_567.8), "1,234,568");
  assert.equal(formatNumber(0.25), "0.3");
});
