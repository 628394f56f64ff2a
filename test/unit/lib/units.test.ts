import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  formatDuration,
  formatSize,
  parseDuration,
  parseNumber,
  parseRate,
  parseSize,
  UnitError,
} from "../../../src/lib/units.ts";

function reads(parse: (text: string) => number, readings: Readonly<Record<string, number>>): void {
  for (const [text, value] of Object.entries(readings)) {
    assert.equal(parse(text), value, text);
  }
}

function refuses(parse: (text: string) => number, texts: readonly string[], message: RegExp): void {
  for (const text of texts) {
    assert.throws(
      () => parse(text),
      (error) => error instanceof UnitError && error.code === "ERR_UNIT" && message.test(error.message),
      text,
    );
  }
}

test("sizes are bytes, or have a decimal or binary unit", () => {
  reads(parseSize, {
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
  });
});

test("the case of a unit does not matter", () => {
  reads(parseSize, { "64kib": 65_536, "64KIB": 65_536, "1mb": 1_000_000, "1KB": 1000, "10b": 10 });
  reads(parseDuration, { "1S": 1000, "2MS": 2, "1H": 3_600_000 });
  reads(parseNumber, { "20K": 20_000, "1m": 1_000_000 });
});

test("refuses sizes that are not whole bytes or have another unit, and says what is allowed", () => {
  refuses(
    parseSize,
    ["", "KiB", "-1", "+1", "1e3", "64Ki", "64K", "1,5KiB", "0x10", "NaN", "5 apples", "1  B"],
    /write bytes, or use B, kB, MB, GB, KiB, MiB or GiB, as in 64KiB/,
  );
  refuses(parseSize, ["0.3", "1.3B", "0.1KiB"], /is not a whole number of bytes/);
});

test("refuses a size that is too large to be counted exactly", () => {
  assert.equal(parseSize("9007199254740991"), Number.MAX_SAFE_INTEGER);
  refuses(parseSize, ["9007199254740992", "99999999GiB"], /is not a size/);
});

test("durations have a unit, and only 0 needs none", () => {
  reads(parseDuration, {
    "0": 0,
    "0s": 0,
    "250us": 0.25,
    "500ms": 500,
    "30s": 30_000,
    "2m": 120_000,
    "1h": 3_600_000,
    "1.5s": 1500,
    "1.005s": 1005,
    "0.5 ms": 0.5,
  });
  refuses(
    parseDuration,
    ["", "30", "00", "30 seconds", "1d", "-5s", "1e3s", "s", "1m30s"],
    /give a number with us, ms, s, m or h, as in 500ms or 30s/,
  );
});

test("numbers may have k or M, rates also /s", () => {
  const numbers = { "0": 0, "20000": 20_000, "20k": 20_000, "1.5M": 1_500_000, "0.25": 0.25 };
  reads(parseNumber, numbers);
  reads(parseRate, { ...numbers, "500/s": 500, "20k/s": 20_000, "0.5 /s": 0.5 });
  refuses(parseNumber, ["", "-1", "1e3", "1,5", "NaN", "0x10", "5G", "20k/s", "5 apples"], /as in 20k$/);
  refuses(parseRate, ["", "/s", "-1/s", "5/m", "5/s/s", "1e3/s"], /as in 500, 20k or 20k\/s$/);
});

test("sizes and durations are written in the largest unit that divides them", () => {
  assert.deepEqual([65_536, 1_073_741_824, 1000, 0].map(formatSize), ["64KiB", "1GiB", "1000", "0"]);
  assert.deepEqual([120_000, 90_000, 1, 0.25, 0.0005, 0].map(formatDuration), [
    "2m",
    "90s",
    "1ms",
    "250us",
    "0.5us",
    "0",
  ]);
});

test("a size that was written is read back as the same value", () => {
  const sizes = fc.oneof(
    fc.maxSafeNat(),
    fc.nat({ max: 4096 }).map((n) => n * 1024 ** 3),
    fc.nat({ max: 10_000 }),
  );
  fc.assert(fc.property(sizes, (bytes) => assert.equal(parseSize(formatSize(bytes)), bytes)));
});

test("a duration that was written is read back as the same value, to the microsecond", () => {
  const durations = fc.oneof(
    fc.nat({ max: 2 ** 40 }),
    fc.nat({ max: 2000 }).map((n) => n * 3_600_000),
    fc.nat({ max: 2 ** 40 }).map((microseconds) => microseconds / 1000),
  );
  fc.assert(
    fc.property(durations, (milliseconds) =>
      assert.equal(parseDuration(formatDuration(milliseconds)), milliseconds),
    ),
  );
});

test("a number written in digits is read as what JavaScript reads", () => {
  const decimals = fc.tuple(fc.nat({ max: 10 ** 6 }), fc.nat({ max: 999 }));
  fc.assert(
    fc.property(decimals, ([whole, thousandths]) => {
      const text = `${whole}.${String(thousandths).padStart(3, "0")}`;
      assert.equal(parseNumber(text), Number(text));
      assert.equal(parseDuration(`${text}s`), Number(`${whole}${String(thousandths).padStart(3, "0")}`));
    }),
  );
});
