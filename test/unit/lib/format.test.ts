import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  formatBytes,
  formatCompact,
  formatDurationUs,
  formatElapsed,
  formatNumber,
  formatPercent,
} from "../../../src/lib/format.ts";

test("sizes are shown in the binary unit that reads best", () => {
  assert.deepEqual([0, 64, 1000, 1023, 1024, 1536, 65_536, 2 ** 30, 5.5 * 2 ** 40].map(formatBytes), [
    "0 B",
    "64 B",
    "1,000 B",
    "1,023 B",
    "1 KiB",
    "1.5 KiB",
    "64 KiB",
    "1 GiB",
    "5.5 TiB",
  ]);
});

test("numbers are grouped, and compact where there is little room", () => {
  assert.deepEqual([1_234_567.8, 12_345.6, 0.25, 12.34].map(formatNumber), [
    "1,234,568",
    "12,346",
    "0.3",
    "12.3",
  ]);
  assert.deepEqual([0, 0.126, 12.34, 950, 9999, 12_345, 4.56e6, 7e9].map(formatCompact), [
    "0",
    "0.13",
    "12.3",
    "950",
    "9,999",
    "12.3k",
    "4.56M",
    "7G",
  ]);
  assert.equal(formatPercent(97.25), "97.3 %");
});

test("latencies are shown with three digits in the unit that reads best", () => {
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

test("elapsed times go on to minutes and hours", () => {
  assert.deepEqual([0.354, 12.44, 512, 1520, 185_000, 3_725_000].map(formatElapsed), [
    "0.35 ms",
    "12.4 ms",
    "512 ms",
    "1.52 s",
    "3 min 5 s",
    "1 h 2 min",
  ]);
});

test("a shown latency can be told from its neighbours at three digits", () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 999_000 }), (us) => {
      const [value = "", unit] = formatDurationUs(us).split(" ");
      const back = Number(value) * (unit === "ms" ? 1000 : 1);
      assert.ok(Math.abs(back - us) <= us * 0.005);
    }),
  );
});
