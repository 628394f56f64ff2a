import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketsOf } from "../../../../bench/report/buckets.ts";
import { histogramOf } from "../../../support/result.ts";

test("histograms share buckets that hold all their messages, and end with an empty edge", () => {
  const buckets = bucketsOf([histogramOf([1.5, 15, 15, 15]), histogramOf([1500])]);
  assert.ok(buckets !== undefined);
  const { edgesUs, percents } = buckets;
  assert.equal(edgesUs.length, 62, "three decades of 20 buckets, and both ends");
  for (const shares of percents) {
    assert.equal(shares.length, edgesUs.length);
    assert.equal(shares.at(-1), 0);
    assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 100) < 1e-9);
  }
  const [first = [], second = []] = percents;
  const highest = first.indexOf(75);
  assert.ok((edgesUs[highest] ?? 0) <= 15 && 15.1 < (edgesUs[highest + 1] ?? 0), `${edgesUs[highest]} us`);
  assert.equal(second.indexOf(100), 60);
});

test("an empty histogram has no buckets", () => {
  assert.equal(bucketsOf([histogramOf([])]), undefined);
});
