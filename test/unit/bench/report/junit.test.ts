import assert from "node:assert/strict";
import { test } from "node:test";
import { concludeComparison } from "../../../../bench/report/checks/comparison.ts";
import { concludeNothing } from "../../../../bench/report/checks/conclusion.ts";
import { formatJunit } from "../../../../bench/report/checks/junit.ts";
import { concludeResult } from "../../../../bench/report/checks/result.ts";
import { allFigures, comparisonOf, samplesOf } from "../../../support/comparison.ts";
import { exampleResult } from "../../../support/result.ts";

test("JUnit has a test case for each check, and nothing that XML does not allow", () => {
  const junit = formatJunit({
    command: "run",
    title: 'a "b" <c>',
    startedAt: "2026-11-22T12:00:00.123Z",
    seconds: 2.5,
    checks: [
      { name: "p99<5ms", problem: null },
      { name: "lost==0", problem: "it was 3 & \u0000 more" },
    ],
    figures: { p99: "4 ms" },
    markdown: "",
  });
  assert.equal(
    junit,
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="2" failures="1" errors="0" skipped="0">
  <testsuite name="uws-echo-bench run: a &quot;b&quot; &lt;c&gt;" timestamp="2026-11-22T12:00:00" time="2.500" tests="2" failures="1" errors="0" skipped="0">
    <properties>
      <property name="p99" value="4 ms"/>
    </properties>
    <testcase name="p99&lt;5ms" classname="uws-echo-bench.run"/>
    <testcase name="lost==0" classname="uws-echo-bench.run">
      <failure message="it was 3 &amp; \ufffd more">it was 3 &amp; \ufffd more</failure>
    </testcase>
  </testsuite>
</testsuites>
`,
  );
});

test("the checks of a Result are its soundness and its thresholds", () => {
  const { checks } = concludeResult(
    "run",
    exampleResult((result) => {
      result.errors = { reset: 2 };
      result.thresholds = [
        { expression: "p99<1us", actual: 185, unit: "us", passed: false },
        { expression: "lost==0", actual: 0, unit: null, passed: true },
      ];
    }),
  );
  assert.deepEqual(checks, [
    { name: "every message was answered, without errors", problem: "2 errors occurred" },
    { name: "p99<1us", problem: "it was 185 us" },
    { name: "lost==0", problem: null },
  ]);
});

test("a run that measured nothing is a failed check", () => {
  assert.match(
    formatJunit(concludeNothing("run", "ws://a/", "nobody there")),
    /failures="1"[\s\S]*nobody there/,
  );
});

test("a Comparison passes if it has no forbidden finding", () => {
  const comparison = comparisonOf(
    samplesOf(6, ({ arm, round }) => allFigures((arm === 0 ? 4 : 5) + round / 1000)),
  );
  const problemsOf = (...failOn: Parameters<typeof concludeComparison>[1]) =>
    concludeComparison(comparison, failOn).checks.map(({ name, problem }) => [name, problem === null]);
  assert.deepEqual(problemsOf("higher", "undecided"), [
    ["every measurement may be used", true],
    ["server CPU per message is not higher", false],
    ["server CPU per message is not undecided", true],
  ]);
  const unusable = {
    ...comparison,
    stop: "interrupted" as const,
    warnings: ["Interrupted after 6 complete rounds."],
  };
  assert.equal(concludeComparison(unusable, []).checks[0]?.problem, "Interrupted after 6 complete rounds.");
});
