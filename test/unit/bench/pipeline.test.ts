// The whole way from a scenario to a Result, on a virtual clock: nothing here depends on the machine's speed.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type MeasureOptions, measure, type Outcome } from "../../../bench/measure/measure.ts";
import type { WebSocketScenario } from "../../../bench/measure/scenario.ts";
import { formatCsv } from "../../../bench/report/run/csv.ts";
import { formatMarkdown } from "../../../bench/report/run/markdown.ts";
import { formatText } from "../../../bench/report/run/text.ts";
import { decodeHistogram } from "../../../bench/result/histogram.ts";
import { type Result, resultSchema } from "../../../bench/result/schema.ts";
import { parseThreshold } from "../../../bench/result/threshold.ts";
import { parseAbort } from "../../../bench/scenario/abort.ts";
import { parseStages } from "../../../bench/scenario/stages.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { createVirtualWorld, exampleScenario, type VirtualTarget } from "../../support/virtual-world.ts";

const nsPerMillisecond = 1e6;
const fixed20Ms: VirtualTarget = { replyAtNs: (sentNs) => sentNs + 20 * nsPerMillisecond };
const open1000: Partial<WebSocketScenario> = {
  loop: { kind: "open", ratePerSecond: 1000, arrivals: "even" },
};

async function outcomeOf(
  changes: Partial<WebSocketScenario>,
  target: VirtualTarget,
  options: MeasureOptions & { clock?: VirtualClock } = {},
): Promise<Outcome> {
  const clock = options.clock ?? new VirtualClock();
  return clock.runUntil(
    measure(exampleScenario(changes), { ...options, world: createVirtualWorld(clock, target) }),
  );
}

async function resultOf(...args: Parameters<typeof outcomeOf>): Promise<Result> {
  const outcome = await outcomeOf(...args);
  assert.equal(outcome.kind, "measured");
  return resultSchema.parse(outcome.kind === "measured" ? outcome.result : undefined);
}

/** A target whose replies take 1 ms, but none between 3 s and 3.5 s: they come at the end of that. */
const stalls500Ms: VirtualTarget = {
  replyAtNs: (sentNs) => {
    const dueNs = sentNs + nsPerMillisecond;
    return dueNs >= 3000 * nsPerMillisecond && dueNs < 3500 * nsPerMillisecond
      ? 3500 * nsPerMillisecond
      : dueNs;
  },
};

describe("a closed loop", () => {
  test("against a target that answers after 20 ms has exactly that latency and the rate that follows", async () => {
    const result = await resultOf({}, fixed20Ms);
    assert.deepEqual(result.summary.latencyUs, {
      min: 20_000,
      mean: 20_000,
      p50: 20_000,
      p90: 20_000,
      p99: 20_000,
      p999: 20_000,
      p9999: 20_000,
      max: 20_000,
    });
    assert.deepEqual(result.summary.serviceUs, result.summary.latencyUs);
    assert.equal(result.summary.messagesPerSecond, 500);
    assert.equal(result.summary.bytesPerSecond, 32_000);
    assert.deepEqual(result.messages, {
      due: 1000,
      sent: 1000,
      unsent: 0,
      received: 1000,
      lost: 0,
      corrupt: 0,
    });
    assert.deepEqual(result.connections, { requested: 10, opened: 10, failed: 0, closedEarly: 0 });
    assert.deepEqual(
      result.series.map(({ endSeconds, messagesPerSecond }) => [endSeconds, messagesPerSecond]),
      [
        [1, 500],
        [2, 500],
      ],
    );
    assert.equal(result.window.seconds, 2);
    assert.equal(result.latencyFrom, "actual-send");
    assert.equal(result.client.lagUs, null);
    assert.ok(result.series.every(({ lagP99Us }) => lagP99Us === null));
    assert.ok(Math.abs(result.client.cpuPercent - 10) < 0.01);
    assert.ok(Math.abs((result.client.busiestThreadPercent ?? 0) - 10) < 0.1);
    assert.ok(Math.abs((result.client.cpuUsPerMessage ?? 0) - 200) < 0.5);
  });

  test("keeps as many messages in flight as its depth says", async () => {
    const result = await resultOf({ loop: { kind: "closed", depth: 7 } }, fixed20Ms);
    assert.equal(result.summary.messagesPerSecond, 3500);
  });

  test("gives the same Result when it is run again", async () => {
    const [first, second] = [await resultOf({}, stalls500Ms), await resultOf({}, stalls500Ms)];
    assert.notEqual(first.id, second.id);
    // The machine's load is its own.
    assert.deepEqual({ ...first, id: "", environment: {} }, { ...second, id: "", environment: {} });
  });

  test("of three threads is one measurement, with every connection in it", async () => {
    const result = await resultOf({ threads: 3 }, fixed20Ms);
    assert.equal(result.summary.messagesPerSecond, 500);
    assert.equal(result.connections.opened, 10);
    assert.equal(result.series.length, 2);
  });

  test("opens connections at the pace that was asked", async () => {
    const clock = new VirtualClock();
    const before = clock.nowNs();
    await resultOf({ connectionsPerSecond: 5, durationMs: 100, warmupMs: 0 }, fixed20Ms, { clock });
    assert.ok(clock.nowNs() - before >= 1900 * nsPerMillisecond);
  });

  test("hides most of a stall, and says so", async () => {
    const result = await resultOf({ durationMs: 5000 }, stalls500Ms);
    assert.ok((result.summary.latencyUs?.p99 ?? 0) < 1001);
    assert.ok((result.summary.latencyUs?.max ?? 0) > 490_000);
    assert.ok(
      result.warnings.some((warning) => /closed loop stops sending while the target stalls/.test(warning)),
    );
  });
});

describe("an open loop", () => {
  test("keeps its rate and measures 20 ms as 20 ms", async () => {
    const result = await resultOf(open1000, fixed20Ms);
    const { latencyUs, messagesPerSecond } = result.summary;
    assert.equal(result.messages.sent, 2000);
    assert.equal(messagesPerSecond, 1000);
    assert.ok(Math.abs((latencyUs?.p50 ?? 0) - 20_000) < 300, `p50 ${latencyUs?.p50}`);
    assert.ok((result.client.lagUs ?? 1000) <= 251);
    assert.equal(result.verdict, "rate-limited");
    assert.equal(result.latencyFrom, "intended-send");
  });

  test("with Poisson arrivals keeps its rate on average", async () => {
    const { messages } = await resultOf(
      { loop: { kind: "open", ratePerSecond: 1000, arrivals: "poisson" }, durationMs: 10_000 },
      fixed20Ms,
    );
    assert.ok(Math.abs(messages.sent - 10_000) < 600, `${messages.sent} sent`);
    assert.equal(messages.lost, 0);
  });

  test("shows a stall of the target in its percentiles", async () => {
    const result = await resultOf({ ...open1000, durationMs: 5000 }, stalls500Ms);
    const { latencyUs, serviceUs } = result.summary;
    // 500 of 5000 messages waited up to 500 ms: a hundredth of all waited more than 450 ms.
    assert.ok(Math.abs((latencyUs?.p99 ?? 0) - 451_000) < 2000, `p99 ${latencyUs?.p99}`);
    assert.ok((serviceUs?.p50 ?? 0) < 1300);
  });

  test("counts its own stall as latency from the intended time, and reports it as lag", async () => {
    const clock = new VirtualClock();
    let hasSlept = false;
    const target: VirtualTarget = {
      replyAtNs: (sentNs) => sentNs + nsPerMillisecond,
      onSend: () => {
        if (!hasSlept && clock.nowNs() > 3000 * nsPerMillisecond) {
          hasSlept = true;
          clock.spend(500 * nsPerMillisecond);
        }
      },
    };
    const result = await resultOf({ ...open1000, durationMs: 5000 }, target, { clock });
    assert.ok((result.summary.latencyUs?.p99 ?? 0) > 400_000);
    assert.ok((result.client.lagUs ?? 0) > 400_000);
    const late = result.series.flatMap(({ endSeconds, lagP99Us }) =>
      (lagP99Us ?? 0) > 400_000 ? [Math.round(endSeconds)] : [],
    );
    assert.equal(late.length, 1, `late in the seconds that end at ${late.join(", ")}`);
    assert.equal(result.messages.sent, 5000);
    assert.ok(result.warnings.some((warning) => /generator's own lag/.test(warning)));
  });

  test("counts time in which the target accepts nothing as latency, not as its own lag", async () => {
    const target: VirtualTarget = {
      replyAtNs: (sentNs) => sentNs + nsPerMillisecond,
      isClogged: (nowNs) => nowNs >= 3000 * nsPerMillisecond && nowNs < 3500 * nsPerMillisecond,
    };
    const result = await resultOf({ ...open1000, durationMs: 5000 }, target);
    assert.ok((result.summary.latencyUs?.p99 ?? 0) > 400_000);
    assert.ok((result.summary.serviceUs?.p99 ?? 0) < 1300);
    assert.ok((result.client.lagUs ?? 1e6) < 1000, `lag ${result.client.lagUs}`);
    assert.equal(result.messages.sent, 5000);
  });
});

describe("stages", () => {
  const staged: Partial<WebSocketScenario> = {
    loop: { kind: "open", ratePerSecond: 1000, arrivals: "even" },
    stages: parseStages("1s:0..1k,2s:1k,1s:2k"),
    durationMs: 4000,
  };

  test("are steps of the Result, each with what was due in it, and the Result is all of them", async () => {
    const result = await resultOf(staged, fixed20Ms);
    assert.deepEqual(
      result.steps.map(({ name, fromSeconds, seconds, messages }) => [
        name,
        fromSeconds,
        seconds,
        messages.sent,
        messages.received,
      ]),
      [
        ["1s:0..1k", 0, 1, 500, 500],
        ["2s:1k", 1, 2, 2000, 2000],
        ["1s:2k", 3, 1, 2000, 2000],
      ],
    );
    assert.equal(result.messages.sent, 4500);
    assert.equal(result.window.seconds, 4);
    assert.equal(result.series.length, 4);
    assert.equal(decodeHistogram(result.histograms.latency).histogram.totalCount, 4500);
    assert.equal(result.verdict, "rate-limited");
    assert.deepEqual(result.failures, []);
    assert.match(formatText(result), /^2s:1k +1,000 +1,0\d\d +20\.\d ms/m);
    assert.match(formatMarkdown([result]), /\| 1s:2k \| 2,000 \|/);
    assert.match(formatCsv([result]), /2s:1k/);
  });

  test("that are cut short by a condition say so, and the run is not acceptable", async () => {
    const slow: VirtualTarget = {
      replyAtNs: (sentNs) => sentNs + (sentNs > 3000 * nsPerMillisecond ? 60 : 20) * nsPerMillisecond,
    };
    const result = await resultOf(
      { ...staged, stages: parseStages("1s:500,30s:1k"), abortIf: [parseAbort("p99>50ms:2s")] },
      slow,
    );
    assert.match(result.failures.join(), /ended early: p99>50ms:2s held for 2s/);
    assert.deepEqual(
      result.steps.map(({ complete }) => complete),
      [true, false],
    );
    assert.equal(result.messages.lost, 0);
  });

  test("with random arrivals keep the rate of each on average", async () => {
    const result = await resultOf(
      { ...staged, loop: { kind: "open", ratePerSecond: 1, arrivals: "poisson" } },
      fixed20Ms,
    );
    const sent = result.steps.map(({ messages }) => messages.sent);
    [500, 2000, 2000].forEach((due, i) => {
      assert.ok(Math.abs((sent[i] ?? 0) - due) < 6 * Math.sqrt(due), `${sent}`);
    });
  });
});

describe("the verdict of an open loop", () => {
  const even = (ratePerSecond: number): Partial<WebSocketScenario> => ({
    loop: { kind: "open", ratePerSecond, arrivals: "even" },
    durationMs: 9000,
  });

  test("on a target that pushes back is that it does, with every message accounted for", async () => {
    let taken = 0;
    const target: VirtualTarget = {
      replyAtNs: (sentNs) => sentNs + nsPerMillisecond,
      isClogged: (nowNs) => taken >= (nowNs - 1000 * nsPerMillisecond) / (2 * nsPerMillisecond),
      onSend: () => {
        taken += 1;
      },
    };
    const result = await resultOf(even(1000), target);
    assert.equal(result.verdict, "server-bound");
    assert.equal(result.messages.due, 9000);
    assert.equal(result.messages.sent + result.messages.unsent, 9000);
    assert.match(result.failures.join(), /of 9,000 messages that were due could not be sent/);
  });

  test("on a target with a constant delay of several seconds is that the rate was held", async () => {
    const result = await resultOf(
      { ...even(100), endpoint: { ...exampleScenario().endpoint, timeoutMs: 10_000 } },
      { replyAtNs: (sentNs) => sentNs + 3000 * nsPerMillisecond },
    );
    assert.equal(result.verdict, "rate-limited");
    assert.deepEqual(result.failures, []);
  });

  test("with random arrivals is that the rate was held, whatever number came", async () => {
    for (let i = 0; i < 12; i += 1) {
      const result = await resultOf(
        { loop: { kind: "open", ratePerSecond: 100, arrivals: "poisson" }, durationMs: 1000 },
        fixed20Ms,
      );
      assert.equal(result.verdict, "rate-limited");
      assert.doesNotMatch(result.warnings.join(), /keep up|backlog/);
    }
  });
});

describe("a target that fails", () => {
  test("and answers some messages only leaves the others lost", async () => {
    const target: VirtualTarget = {
      replyAtNs: (sentNs, connection, sequence) =>
        connection === 3 && sequence >= 100 ? undefined : sentNs + 20 * nsPerMillisecond,
    };
    const result = await resultOf({}, target);
    assert.equal(result.messages.lost, 1);
    assert.equal(result.messages.sent, result.messages.received + 1);
    assert.equal(result.verdict, "invalid");
  });

  test("and never answers leaves nothing measured", async () => {
    const outcome = await outcomeOf({}, { replyAtNs: () => undefined });
    assert.equal(outcome.kind, "nothing");
    assert.match(outcome.kind === "nothing" ? outcome.reason : "", /no good reply came/);
  });

  test("and refuses some connections is measured with the others", async () => {
    const result = await resultOf({}, { ...fixed20Ms, refuses: (connection) => connection < 4 });
    assert.deepEqual(result.connections, { requested: 10, opened: 6, failed: 4, closedEarly: 0 });
    assert.deepEqual(result.errors, { unreachable: 4 });
    assert.equal(result.summary.messagesPerSecond, 300);
  });

  test("and refuses all connections leaves nothing measured, and the reason known", async () => {
    const outcome = await outcomeOf({}, { ...fixed20Ms, refuses: () => true });
    assert.equal(outcome.kind, "nothing");
    assert.deepEqual(outcome.errors, { unreachable: { count: 10, detail: "refused" } });
  });

  test("and dies in the window leaves a partial Result of what was measured by then", async () => {
    const result = await resultOf(
      { durationMs: 60_000 },
      { ...fixed20Ms, diesAtNs: 4500 * nsPerMillisecond },
    );
    assert.match(result.partial?.reason ?? "", /the target ended every connection/);
    assert.ok(Math.abs(result.window.seconds - 2.48) < 0.05, `${result.window.seconds} s`);
    assert.equal(Math.round(result.summary.messagesPerSecond / 10), 50);
    assert.deepEqual(result.connections, { requested: 10, opened: 10, failed: 0, closedEarly: 10 });
    assert.equal(result.messages.lost, 10);
  });

  test("and dies in the warm-up leaves nothing measured", async () => {
    const outcome = await outcomeOf({}, { ...fixed20Ms, diesAtNs: 1500 * nsPerMillisecond });
    assert.match(
      outcome.kind === "nothing" ? outcome.reason : "",
      /every connection before the measured window/,
    );
  });
});

describe("an interrupted run", () => {
  test("gives a partial Result that lost nothing", async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    clock.callAtNs(3000 * nsPerMillisecond, () => controller.abort());
    const result = await resultOf({ durationMs: 60_000 }, fixed20Ms, { clock, signal: controller.signal });
    assert.match(result.partial?.reason ?? "", /interrupted/);
    assert.equal(result.messages.lost, 0);
    assert.ok(result.window.seconds < 1);
    assert.equal(Math.round(result.summary.messagesPerSecond / 10), 50);
  });

  test("before any load was put on leaves nothing measured", async () => {
    const outcome = await outcomeOf({}, fixed20Ms, { signal: AbortSignal.abort() });
    assert.match(outcome.kind === "nothing" ? outcome.reason : "", /interrupted while connecting/);
  });
});

describe("a load that starts at a time", () => {
  const at = (ms: number): Date => new Date(Date.UTC(2026, 10, 22) + ms);

  test("waits for it, connected, and measures from then on", async () => {
    const phases = new Set<string>();
    const result = await resultOf({}, fixed20Ms, {
      startAt: at(30_000),
      onProgress: ({ phase }) => phases.add(phase),
    });
    assert.equal(result.window.startedAt, at(31_000).toISOString()); // after 1 s of warm-up
    assert.equal(result.window.seconds, 2);
    assert.equal(result.messages.sent, 1000);
    assert.deepEqual([...phases], ["connect", "wait", "warmup", "measure"]);
  });

  test("waits until the time is known, ready once every connection is open", async () => {
    const clock = new VirtualClock();
    const steps: string[] = [];
    const result = await resultOf({ connectionsPerSecond: 5 }, fixed20Ms, {
      clock,
      onReady: () => steps.push(clock.nowNs() < 1800 * nsPerMillisecond ? "too early" : "ready"),
      startAt: () =>
        new Promise((resolve) => {
          clock.callAtNs(10_000 * nsPerMillisecond, () => {
            steps.push("known");
            resolve(at(12_000));
          });
        }),
    });
    assert.deepEqual(steps, ["ready", "known"]);
    assert.equal(result.window.startedAt, at(13_000).toISOString()); // after 1 s of warm-up
    assert.equal(result.messages.lost, 0);
  });

  test("does not wait for a time any longer when the run is interrupted", async () => {
    const signals: AbortSignal[] = [];
    const startAt = (signal: AbortSignal): Promise<Date> => {
      signals.push(signal);
      return new Promise(() => undefined);
    };
    const clock = new VirtualClock();
    const controller = new AbortController();
    clock.callAtNs(2000 * nsPerMillisecond, () => controller.abort());
    const stopped = await outcomeOf({}, fixed20Ms, { clock, startAt, signal: controller.signal });
    assert.match(stopped.kind === "nothing" ? stopped.reason : "", /interrupted/);
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true],
    );
  });

  test("that comes before every connection is open measures nothing", async () => {
    const outcome = await outcomeOf({ connectionsPerSecond: 1 }, fixed20Ms, { startAt: at(5000) });
    assert.match(outcome.kind === "nothing" ? outcome.reason : "", /not every connection was open when/);
  });

  test("measures nothing when the target goes, or the run is interrupted, while it waits", async () => {
    const gone = await outcomeOf(
      {},
      { ...fixed20Ms, diesAtNs: 2000 * nsPerMillisecond },
      { startAt: at(30_000) },
    );
    assert.match(gone.kind === "nothing" ? gone.reason : "", /ended every connection before the measured/);
    const clock = new VirtualClock();
    const controller = new AbortController();
    clock.callAtNs(2000 * nsPerMillisecond, () => controller.abort());
    const stopped = await outcomeOf({}, fixed20Ms, { clock, startAt: at(30_000), signal: controller.signal });
    assert.match(stopped.kind === "nothing" ? stopped.reason : "", /interrupted before the measured/);
    assert.ok(clock.nowNs() < 5000 * nsPerMillisecond, "without waiting any longer");
  });
});

test("the server's figures are those of the window, and CPU per message follows from them", async () => {
  const clock = new VirtualClock();
  const sampler = {
    source: "pid" as const,
    cpus: [1],
    periodMs: 1000,
    sample: async (nowNs: () => number) => ({
      takenNs: nowNs(),
      cpuSeconds: (0.5 * nowNs()) / 1e9,
      rssBytes: 1000,
      bufferedBytes: nowNs() > 3000 * nsPerMillisecond ? 77 : 5,
      droppedMessages: 3,
      receivedMessages: null,
      threadCpuSeconds: null,
      waitedSeconds: null,
      replicas: 1,
      workers: 1,
    }),
  };
  const { server, series } = await resultOf({}, fixed20Ms, { clock, sampler });
  assert.equal(Math.round(server?.cpuPercent ?? 0), 50);
  assert.equal(Math.round(server?.cpuUsPerMessage ?? 0), 1000);
  assert.deepEqual([server?.maxBufferedBytes, server?.droppedMessages, server?.rssBytes], [77, 0, 1000]);
  assert.deepEqual(
    series.map((second) => Math.round(second.serverCpuPercent ?? 0)),
    [50, 50],
  );
});

describe("a probe beside a closed loop", () => {
  const probe = { connections: 2, ratePerSecond: 100 };

  test("has the latencies of the messages that a stall delays, which the loop hides", async () => {
    const { probe: probed, summary, connections } = await resultOf({ probe, durationMs: 5000 }, stalls500Ms);
    assert.deepEqual(connections, { requested: 10, opened: 10, failed: 0, closedEarly: 0 });
    assert.deepEqual(probed?.messages, {
      due: 500,
      sent: 500,
      unsent: 0,
      received: 500,
      lost: 0,
      corrupt: 0,
    });
    assert.deepEqual([probed?.connections, probed?.ratePerSecond, probed?.opened], [2, 100, 2]);
    // A tenth of the time is the stall, in which each message waits for its end.
    assert.ok((probed?.latencyUs?.p99 ?? 0) > 400_000, `${probed?.latencyUs?.p99} us`);
    assert.ok((summary.latencyUs?.p99 ?? 0) < 2000, `${summary.latencyUs?.p99} us`);
  });

  test("does not change what is counted of the load", async () => {
    const [alone, beside] = [await resultOf({}, fixed20Ms), await resultOf({ probe }, fixed20Ms)];
    assert.equal(alone.probe, null);
    for (const figure of ["messages", "connections", "summary", "errors", "wire"] as const) {
      assert.deepEqual(beside[figure], alone[figure], figure);
    }
  });

  test("makes the Result unacceptable when its messages are lost", async () => {
    // Its connections are the last ones to open.
    let opened = 0;
    const loses: VirtualTarget = {
      replyAtNs: (sentNs, connection, sequence) => {
        opened = Math.max(opened, connection);
        return sentNs > 1500 * nsPerMillisecond && sequence > 200 ? undefined : sentNs + nsPerMillisecond;
      },
    };
    const { failures } = await resultOf(
      {
        probe: { connections: 1, ratePerSecond: 300 },
        loop: { kind: "open", ratePerSecond: 10, arrivals: "even" },
      },
      loses,
    );
    assert.match(failures.join(), /messages of the probe were lost/);
    assert.doesNotMatch(failures.join(), /^\d+ messages were lost/);
  });

  test("ends with the load when the target dies", async () => {
    const result = await resultOf(
      { probe, durationMs: 5000 },
      { ...fixed20Ms, diesAtNs: 2500 * nsPerMillisecond },
    );
    assert.match(result.partial?.reason ?? "", /the target ended every connection/);
  });
});

test("a threshold is judged by the figures of the Result", async () => {
  const thresholds = ["p99<5ms", "rate>=500", "lost==0"].map(parseThreshold);
  const { thresholds: judged } = await resultOf({}, fixed20Ms, { thresholds });
  assert.deepEqual(judged, [
    { expression: "p99<5ms", actual: 20_000, unit: "us", passed: false },
    { expression: "rate>=500", actual: 500, unit: null, passed: true },
    { expression: "lost==0", actual: 0, unit: null, passed: true },
  ]);
});
