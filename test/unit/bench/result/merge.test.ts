import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeHistogram, encodeHistogram, latencyOf } from "../../../../bench/result/histogram.ts";
import { MergeError, mergeResults } from "../../../../bench/result/merge.ts";
import { type Result, resultSchema } from "../../../../bench/result/schema.ts";
import { judge } from "../../../../bench/result/verdict.ts";
import { exampleResult, histogramOf } from "../../../support/result.ts";

/** A Result of a generator that measured exactly these latencies. */
function resultOf(latenciesUs: readonly number[]): Result {
  return exampleResult((result) => {
    const recorded = histogramOf(latenciesUs);
    const encoded = encodeHistogram(recorded.histogram, 1);
    result.histograms = { latency: encoded, service: encoded, unsent: null };
    result.summary.latencyUs = latencyOf(recorded);
    result.summary.serviceUs = latencyOf(recorded);
    result.messages = {
      due: latenciesUs.length,
      unsent: 0,
      sent: latenciesUs.length,
      received: latenciesUs.length,
      lost: 0,
      corrupt: 0,
    };
  });
}

test("a merged Result has the percentiles of one histogram of all latencies, and exact extremes", () => {
  const latencies = fc.array(fc.integer({ min: 1, max: 10_000_000 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(fc.array(latencies, { minLength: 2, maxLength: 4 }), (parts) => {
      const all = parts.flat();
      const merged = mergeResults(parts.map(resultOf));
      assert.equal(merged.messages.received, all.length);
      assert.equal(decodeHistogram(merged.histograms.latency).histogram.totalCount, all.length);
      const whole = latencyOf(histogramOf(all));
      const found = merged.summary.latencyUs;
      assert.ok(whole !== null && found !== null);
      assert.equal(found.min, Math.min(...all));
      assert.equal(found.max, Math.max(...all));
      for (const key of ["p50", "p90", "p99", "p999", "p9999"] as const) {
        assert.equal(found[key], whole[key], key);
      }
    }),
    { numRuns: 20 },
  );
});

test("counts, rates, connections, errors and the client's CPU add up; the result is valid and judged again", () => {
  const part = () =>
    exampleResult((result) => {
      result.loop = "open";
      result.scenario.ratePerSecond = 100_000;
      result.messages.lost = 2;
      result.errors = { reset: 1 };
      result.client.lagUs = 7;
    });
  const merged = judge(
    mergeResults([
      part(),
      exampleResult((result) => {
        Object.assign(result, part(), { errors: { timeout: 3 } });
        result.client.lagUs = 9;
        result.client.cpus = [3];
      }),
    ]),
  );
  assert.deepEqual(resultSchema.parse(merged), merged);
  assert.equal(merged.summary.messagesPerSecond, 200_000);
  assert.equal(merged.summary.bytesPerSecond, 12_800_000);
  assert.deepEqual(merged.messages, {
    due: 400_000,
    sent: 400_000,
    unsent: 0,
    received: 400_000,
    lost: 4,
    corrupt: 0,
  });
  assert.equal(merged.connections.opened, 128);
  assert.equal(merged.scenario.ratePerSecond, 200_000);
  assert.equal(merged.scenario.generators, 2);
  assert.deepEqual(merged.errors, { reset: 1, timeout: 3 });
  assert.equal(merged.client.cpuPercent, 80);
  assert.equal(merged.client.cpuUsPerMessage, 4);
  assert.equal(merged.client.lagUs, 9, "the lag is that of the worst generator");
  assert.deepEqual(merged.client.cpus, [0, 3]);
  assert.equal(merged.verdict, "invalid");
});

test("the server's CPU is counted once, over the messages of all", () => {
  const { server } = mergeResults([exampleResult(), exampleResult()]);
  assert.equal(server?.cpuPercent, 99);
  assert.equal(server?.cpuUsPerMessage, (99 * 1e4) / 200_000);
});

test("a server that only one generator could see is taken from that one", () => {
  const blind = exampleResult((result) => {
    delete result.server;
  });
  assert.equal(mergeResults([blind, exampleResult()]).server?.cpuPercent, 99);
  assert.equal(mergeResults([blind, blind]).server, undefined);
});

test("seconds add up as far as all generators have them; their percentiles do not", () => {
  const shorter = exampleResult((result) => {
    result.series.pop();
  });
  const { series } = mergeResults([exampleResult(), shorter]);
  assert.equal(series.length, 1);
  assert.equal(series[0]?.messagesPerSecond, 200_000);
  assert.equal(series[0]?.p99Us, null);
  assert.equal(series[0]?.maxUs, 200);
});

/** A Result of five seconds, of which each has the given latencies, and begins this much later. */
function resultOfSpans(spans: readonly (readonly number[])[], laterMs = 0): Result {
  return exampleResult((result) => {
    Object.assign(result, resultOf(spans.flat()), { id: result.id });
    const startedMs = Date.UTC(2026, 10, 22, 12) + laterMs;
    result.window = { startedAt: new Date(startedMs).toISOString(), seconds: spans.length };
    result.spans = {
      seconds: 1,
      startSeconds: 0,
      entries: spans.map((latenciesUs) => ({
        replies: latenciesUs.length,
        latency: encodeHistogram(histogramOf(latenciesUs).histogram, 1),
      })),
    };
    result.series = spans.map((_, index) => ({
      ...(result.series[0] as Result["series"][number]),
      endSeconds: index + 1,
      messagesPerSecond: index,
    }));
  });
}

const thousand = (latencyUs: number): number[] => Array.from({ length: 1000 }, () => latencyUs);

test("a merged Result has intervals, and percentiles of each second, of all latencies", () => {
  const spans = (latencyUs: number) => Array.from({ length: 6 }, () => thousand(latencyUs));
  const merged = mergeResults([resultOfSpans(spans(100)), resultOfSpans(spans(300))]);
  assert.deepEqual(
    merged.spans?.entries.map(({ replies }) => replies),
    Array.from({ length: 6 }, () => 2000),
  );
  assert.deepEqual(merged.intervals?.messagesPerSecond, { low: 2000, high: 2000 });
  assert.equal(Math.round(merged.intervals?.latencyUs.p99?.low ?? 0), 300);
  assert.equal(Math.round(merged.series[0]?.p50Us ?? 0), 100);
  assert.equal(Math.round(merged.series[0]?.p99Us ?? 0), 300);
  assert.deepEqual(resultSchema.parse(judge(merged)), judge(merged));
});

test("seconds are added to those of the same time, not of the same number", () => {
  const spans = Array.from({ length: 20 }, (_, index) => thousand(index + 1));
  const merged = mergeResults([resultOfSpans(spans), resultOfSpans(spans, 1000)]);
  assert.equal(merged.series.length, 19);
  // The second second of the earlier one, and the first of the later one.
  assert.equal(merged.series[0]?.messagesPerSecond, 1 + 0);
  assert.equal(merged.series[0]?.endSeconds, 2);
  assert.equal(merged.spans?.startSeconds, 1);
  assert.equal(Math.round(merged.series[0]?.p99Us ?? 0), 2);
});

test("a generator that kept no spans leaves the whole without intervals", () => {
  const spans = Array.from({ length: 6 }, () => thousand(100));
  const blind = resultOfSpans(spans);
  blind.spans = null;
  const merged = mergeResults([resultOfSpans(spans), blind]);
  assert.equal(merged.spans, null);
  assert.equal(merged.intervals, null);
});

test("the same parts give the same id, and other parts another one", () => {
  const [a, b, c] = [exampleResult(), exampleResult(), exampleResult()];
  assert.equal(mergeResults([a, b]).id, mergeResults([b, a]).id);
  assert.notEqual(mergeResults([a, b]).id, mergeResults([a, c]).id);
});

test("probes add up; a part without one leaves the whole without", () => {
  const probed = (latenciesUs: readonly number[]) =>
    exampleResult((result) => {
      const recorded = histogramOf(latenciesUs);
      const { length } = latenciesUs;
      result.probe = {
        connections: 2,
        ratePerSecond: 100,
        opened: 2,
        messages: { due: length, sent: length, unsent: 0, received: length, lost: 0, corrupt: 0 },
        latencyUs: latencyOf(recorded),
        lagUs: length,
        histogram: encodeHistogram(recorded.histogram, 1),
      };
    });
  const { probe } = mergeResults([probed([10, 20]), probed([30])]);
  assert.deepEqual(
    [probe?.connections, probe?.ratePerSecond, probe?.messages.received, probe?.lagUs],
    [4, 200, 3, 2],
  );
  assert.deepEqual([probe?.latencyUs?.min, probe?.latencyUs?.max], [10, 30]);
  assert.equal(mergeResults([probed([10]), exampleResult()]).probe, null);
});

test("payloads from different files are not of one run; generated ones are", () => {
  const sent = (fill: "random" | null, payloadSha256: string) =>
    exampleResult(({ scenario }) => Object.assign(scenario, { fill, payloadSha256 }));
  const [one, two] = ["1".repeat(64), "2".repeat(64)] as const;
  assert.throws(() => mergeResults([sent(null, one), sent(null, two)]), /scenario\.payloadSha256 differs/);
  assert.equal(mergeResults([sent("random", one), sent("random", two)]).scenario.payloadSha256, null);
  assert.equal(mergeResults([sent(null, one), sent(null, one)]).scenario.payloadSha256, one);
});

test("an early end of one generator is an early end of the whole", () => {
  const partial = exampleResult((result) => {
    result.partial = { reason: "it was interrupted" };
  });
  assert.deepEqual(mergeResults([exampleResult(), partial]).partial, { reason: "it was interrupted" });
});

test("generators without any reply merge into a Result without latency", () => {
  const { summary } = mergeResults([resultOf([]), resultOf([])]);
  assert.equal(summary.latencyUs, null);
});

test("Results of different runs are refused, with every difference named", () => {
  const other = exampleResult((result) => {
    result.target.url = "ws://elsewhere:1/";
    result.scenario.payloadBytes = [128];
    result.window.startedAt = "2026-11-22T13:00:00.000Z";
  });
  assert.throws(
    () => mergeResults([exampleResult(), other]),
    (error) => {
      assert.ok(error instanceof MergeError);
      assert.match(error.message, /target\.url differs: .*9998.* and .*elsewhere/);
      assert.match(error.message, /payloadBytes differs: \[64\] and \[128\]/);
      assert.match(error.message, /share only 0\.0 s of 2\.0 s/);
      return true;
    },
  );
});

test("a single Result is not merged", () => {
  assert.throws(() => mergeResults([exampleResult()]), /at least two Results/);
});

test("a merged Result keeps its parts, and none of them counts twice in another merge", () => {
  const [a, b, c] = ["a", "b", "c"].map((label) => exampleResult((result) => (result.label = label)));
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const ab = judge(mergeResults([a, b]));
  assert.deepEqual(
    ab.parts.map(({ label }) => label),
    ["a", "b"],
  );
  assert.throws(
    () => mergeResults([ab, a]),
    /the Result of a is also a part of a merged Result: it would count twice/,
  );
  assert.throws(() => mergeResults([ab, judge(mergeResults([b, c]))]), /the Result of b is also a part/);
  assert.deepEqual(
    mergeResults([ab, c]).parts.map(({ label }) => label),
    ["a", "b", "c"],
  );
});

test("a part whose p99 is twice that of the middle one is named", () => {
  const part = (label: string, p99: number) =>
    exampleResult((result) => {
      result.label = label;
      if (result.summary.latencyUs !== null) {
        result.summary.latencyUs.p99 = p99;
      }
    });
  const warningsOf = (...p99s: number[]) =>
    judge(mergeResults(p99s.map((p99, index) => part(`part-${index}`, p99)))).warnings.join("\n");
  assert.match(warningsOf(150, 160, 400), /The part part-2 has a p99 of 400 us, the middle part 160 us/);
  assert.doesNotMatch(warningsOf(150, 160, 170), /The part/);
});

test("parts of different arrivals, time limits or warm-ups are not of one run", () => {
  const other = exampleResult((result) => {
    result.scenario.arrivals = "poisson";
    result.scenario.timeoutMs = 1;
    result.scenario.warmupMs = 1;
  });
  assert.throws(
    () => mergeResults([exampleResult(), other]),
    /scenario\.arrivals differs[\s\S]*scenario\.timeoutMs differs[\s\S]*scenario\.warmupMs differs/,
  );
});

test("steps and closes are merged each with its like", () => {
  const part = (first: number) => {
    const result = resultOf([first, 2 * first]);
    const { summary, messages, client, histograms } = result;
    const step = {
      name: "1s:2",
      fromSeconds: 0,
      seconds: 1,
      complete: true,
      summary,
      messages,
      connections: { open: 4, opened: 0, failed: 0, closedEarly: 1 },
      client,
      histograms,
    };
    const close = { second: 0, kind: "closed-1001", code: 1001, status: null, count: 1 };
    return { ...result, steps: [step, { ...step, name: "1s:3" }], closes: [close] };
  };
  const merged = mergeResults([part(100), part(200)]);
  assert.deepEqual(
    merged.steps.map(({ name, messages, connections, summary }) => [
      name,
      messages.received,
      connections.open,
      summary.latencyUs?.max,
    ]),
    [
      ["1s:2", 4, 8, 400],
      ["1s:3", 4, 8, 400],
    ],
  );
  assert.deepEqual(merged.closes, [{ second: 0, kind: "closed-1001", code: 1001, status: null, count: 2 }]);
});

test("a Result without steps and closes is one of a single step", () => {
  const { steps, closes, ...older } = exampleResult();
  assert.deepEqual(resultSchema.parse(older), { ...older, steps, closes });
});
