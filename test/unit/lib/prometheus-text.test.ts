import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseMetricsText, sampleName, samplesByName, sumOf } from "../../../src/lib/prometheus-text.ts";

test("the Prometheus text format is read: labels, escapes, values, timestamps, comments", () => {
  const samples = parseMetricsText(
    [
      "# HELP a_total Some help with {braces} and 1 number",
      "# TYPE a_total counter",
      "a_total 3",
      'a_total{type="text"} 4 1700000000000',
      'b{path="C:\\\\dir",text="a \\"quote\\"\\nand, a } brace" , } 1e3',
      "up:rule{} +Inf",
      "n NaN",
      "n_of_prom_client Nan",
      "\tminus   -0.5\r",
      "",
    ].join("\n"),
  );
  assert.equal(sumOf(samples, "a_total"), 7);
  assert.equal(sumOf(samples, "a_total", { type: "text" }), 4);
  assert.equal(sumOf(samples, "a_total", { type: "binary" }), undefined);
  assert.equal(sumOf(samples, "absent"), undefined);
  const [b] = samples.get("b") ?? [];
  assert.equal(b?.value, 1000);
  assert.equal(b?.labels.get("path"), "C:\\dir");
  assert.equal(b?.labels.get("text"), 'a "quote"\nand, a } brace');
  assert.equal(sumOf(samples, "up:rule"), Number.POSITIVE_INFINITY);
  assert.equal(sumOf(samples, "n"), Number.NaN);
  assert.equal(sumOf(samples, "n_of_prom_client"), Number.NaN);
  assert.equal(sumOf(samples, "minus"), -0.5);
});

test("what is not that format is refused with its line", () => {
  for (const line of ["<!doctype html>", "name", "x{a=1} 2", 'x{a="1" 2', "x 1 2 3", "x one", "x 1 soon"]) {
    assert.throws(
      () => parseMetricsText(`ok 1\n${line}`),
      /Line 2 is not in the Prometheus text format/,
      line,
    );
  }
});

test("a sample is named as it was written, whatever its labels hold", () => {
  assert.deepEqual(samplesByName(parseMetricsText('up 1\nx_total{a="b",c="d"} 2\n')), {
    up: 1,
    'x_total{a="b",c="d"}': 2,
  });
  const labels = fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), fc.string({ unit: "binary" }));
  fc.assert(
    fc.property(labels, (given) => {
      const name = sampleName("x", Object.entries(given));
      const [sample] = parseMetricsText(`${name} 7`).get("x") ?? [];
      assert.deepEqual(Object.fromEntries(sample?.labels ?? []), { ...given });
      assert.equal(sample?.value, 7);
    }),
  );
});
