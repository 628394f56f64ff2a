import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatDuration, formatSize, parseDuration, parseSize } from "../../../src/lib/units.ts";

test("sizes are read in bytes, decimal and binary units", () => {
  const readings = {
    "0": 0,
    "4096": 4096,
    "10B": 10,
    "1kB": 1000,
    "2MB": 2_000_000,
    "1GB": 1_000_000_000,
    "64KiB": 65_536,
    "16MiB": 16_777_216,
    "1GiB": 1_073_741_824,
    "1.5KiB": 1536,
    "64 KiB": 65_536,
    " 7 ": 7,
  };
  for (const [text, bytes] of Object.entries(readings)) {
    assert.equal(parseSize(text), bytes, text);
  }
});

test("what is no whole number of bytes is no size", () => {
  for (const text of [
    "",
    "KiB",
    "-1",
    "+1",
    "1e3",
    "64kib",
    "64KB",
    "64Ki",
    "1.3B",
    "0.1KiB",
    "1,5KiB",
    "0x10",
    "NaN",
  ]) {
    assert.equal(parseSize(text), undefined, text);
  }
});

test("durations are read in milliseconds and need a unit, except 0", () => {
  const readings = {
    "0": 0,
    "0s": 0,
    "500ms": 500,
    "30s": 30_000,
    "2m": 120_000,
    "1h": 3_600_000,
    "1.5s": 1500,
  };
  for (const [text, milliseconds] of Object.entries(readings)) {
    assert.equal(parseDuration(text), milliseconds, text);
  }
  for (const text of ["", "30", "30 seconds", "1d", "-5s", "1S", "0.5ms"]) {
    assert.equal(parseDuration(text), undefined, text);
  }
});

test("a size that is too large to be counted exactly is no size", () => {
  assert.equal(parseSize("9007199254740991"), Number.MAX_SAFE_INTEGER);
  assert.equal(parseSize("9007199254740992"), undefined);
  assert.equal(parseSize("99999999GiB"), undefined);
});

test("sizes and durations are written in the largest unit that divides them", () => {
  assert.equal(formatSize(65_536), "64KiB");
  assert.equal(formatSize(1_073_741_824), "1GiB");
  assert.equal(formatSize(1000), "1000");
  assert.equal(formatSize(0), "0");
  assert.equal(formatDuration(120_000), "2m");
  assert.equal(formatDuration(90_000), "90s");
  assert.equal(formatDuration(1), "1ms");
  assert.equal(formatDuration(0), "0");
});

test("what is written is read back as the same value", () => {
  const quantity = fc.oneof(
    fc.maxSafeNat(),
    fc.nat({ max: 4096 }).map((n) => n * 1024 ** 3),
    fc.nat({ max: 10_000 }),
  );
  fc.assert(
    fc.property(quantity, (value) => {
      assert.equal(parseSize(formatSize(value)), value);
      assert.equal(parseDuration(formatDuration(value)), value);
    }),
  );
});
