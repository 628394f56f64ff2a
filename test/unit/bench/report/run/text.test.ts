import assert from "node:assert/strict";
import { test } from "node:test";
import { createColors } from "picocolors";
import { formatText } from "../../../../../bench/report/run/text.ts";
import { judge } from "../../../../../bench/result/verdict.ts";
import { plainLook } from "../../../../../src/lib/terminal.ts";
import { exampleResult } from "../../../../support/result.ts";

test("the text report shows the rate, the percentiles, both CPU figures and the verdict", () => {
  const text = formatText(exampleResult());
  assert.match(
    text,
    /^ws:\/\/127\.0\.0\.1:9998\/echo · engine raw · 64 connections x 16 in flight, 64 B binary/,
  );
  assert.match(text, /100,000 messages\/s, 6\.1 MiB\/s/);
  assert.match(text, /client +4\.00 us of CPU per message, 40\.0 % of a core/);
  assert.match(text, /server +9\.90 us of CPU per message, 99\.0 % of a core/);
  assert.match(text, /p99\.99/);
  assert.match(text, /verdict +server-bound/);
  assert.match(text, /closed loop: .* hides/);
  assert.doesNotMatch(text, /service time|NOT ACCEPTABLE|undefined|NaN|null/);
});

test("an open loop shows latency and service time apart", () => {
  const text = formatText(
    exampleResult((result) => {
      result.loop = "open";
      result.latencyFrom = "intended-send";
      result.scenario.depth = null;
      result.scenario.ratePerSecond = 100_000;
      result.scenario.arrivals = "poisson";
      result.client.lagUs = 12;
    }),
  );
  assert.match(text, /100,000 messages\/s \(poisson arrivals\) over 64 connections/);
  assert.match(text, /^latency +/m);
  assert.match(text, /^service time +/m);
  assert.match(text, /lag p99 12\.0 us/);
});

test("a run with lost messages says so before any figure", () => {
  const text = formatText(
    judge(
      exampleResult((result) => {
        result.messages.lost = 1;
      }),
    ),
  );
  assert.ok(text.indexOf("NOT ACCEPTABLE: 1 messages were lost") < text.indexOf("messages/s"));
  assert.match(text, /^! 1 of 200,000 messages were lost/m);
  assert.match(text, /verdict +invalid/);
});

test("a run without replies, a server or a threshold's value still has a report", () => {
  const text = formatText(
    exampleResult((result) => {
      result.summary.latencyUs = null;
      result.summary.serviceUs = null;
      result.client.cpuUsPerMessage = null;
      result.thresholds = [{ expression: "p99<5ms", actual: null, unit: "us", passed: false }];
      delete result.server;
    }),
  );
  assert.match(text, /NOT MET +p99<5ms \(it was unknown\)/);
  assert.doesNotMatch(text, /server +|undefined|NaN|null/);
});

test("the report fits a terminal of 80 columns: percentiles go down instead of across", () => {
  const look = { width: 80, paint: plainLook.paint };
  const narrow = formatText(exampleResult(), look);
  for (const line of narrow.split("\n")) {
    assert.ok(line.length <= 80, line);
  }
  assert.match(narrow, /^p99\.9 +\d+ us$/m);
  const wide = formatText(exampleResult(), { ...look, width: 110 });
  assert.match(wide, /^ +min +mean +p50 .* max$/m);
  assert.equal(narrow.replaceAll(/\s+/g, " ").includes("messages/s"), true);
});

test("colours mark problems, and only if enabled", () => {
  const failed = exampleResult((result) => {
    result.failures = ["2 messages were lost"];
    result.warnings = ["The run was short."];
  });
  const coloured = formatText(failed, { width: 80, paint: createColors(true) });
  assert.ok(coloured.includes("\u001b[31mNOT ACCEPTABLE: 2 messages were lost."));
  assert.ok(coloured.includes("\u001b[33m! The run was short."));
  assert.ok(!formatText(failed).includes("\u001b"));
});

test("the text ends with the command to repeat it: quoted, with its seed, without options that apply once", () => {
  const ofCommand = (...command: string[]) =>
    formatText(exampleResult((result) => Object.assign(result, { command }))).trimEnd();
  assert.match(
    ofCommand("run", "ws://a:1/", "-H", "X: it's", "-o", "a.json", "--start-at=2026-11-22T18:30:00Z"),
    /\nuws-echo-bench run ws:\/\/a:1\/ -H 'X: it'\\''s' --seed 1$/,
  );
  assert.match(ofCommand("run", "ws://a:1/", "--seed", "7"), /\nuws-echo-bench run ws:\/\/a:1\/ --seed 7$/);
});
