import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Result } from "../../../../bench/result/schema.ts";
import { judgeNothing, judgeTrial, parseSlo } from "../../../../bench/result/slo.ts";
import { exampleResult } from "../../../support/result.ts";

/** An open loop at 10,000/s for 2 s, of which everything was answered, p99 near 200 us. */
function trial(change: (result: Result) => void = () => undefined): Result {
  return exampleResult((result) => {
    result.loop = "open";
    Object.assign(result.scenario, { depth: null, ratePerSecond: 10_000, arrivals: "even" });
    Object.assign(result.messages, { due: 20_000, sent: 20_000, received: 20_000 });
    result.summary.messagesPerSecond = 10_000;
    result.client.lagUs = 5;
    for (const second of result.series) {
      second.messagesPerSecond = 10_000;
    }
    change(result);
  });
}

function judge(slo: string, change?: (result: Result) => void) {
  const { state, cause, reason } = judgeTrial(parseSlo(slo), trial(change));
  return [state, cause, reason];
}

describe("an objective", () => {
  test("holds a condition or several, and the shortest time that they allow", () => {
    assert.equal(parseSlo("p99<5ms").limitUs, 5000);
    const several = parseSlo("within(2ms)>=99.9%, max<20ms,lost==0");
    assert.equal(several.limitUs, 2000);
    assert.deepEqual(
      several.thresholds.map(({ metric }) => metric),
      ["within(2ms)", "max", "lost"],
    );
    assert.equal(parseSlo("server.cpu<80").limitUs, undefined);
    assert.equal(parseSlo("p99>5ms").limitUs, undefined);
  });

  test("is refused if it is invalid, or about a figure that more load does not worsen", () => {
    assert.throws(() => parseSlo("p99<5"), /give it a unit/);
    assert.throws(() => parseSlo("p99<5ms,"), /is not a threshold/);
    for (const wrong of ["rate>1000", "steady==1", "lag<1ms", "probe.p99<5ms", "p99<5ms,client.cpu<80"]) {
      assert.throws(() => parseSlo(wrong), /is not an objective/, wrong);
    }
  });
});

describe("a trial", () => {
  test("is good when the objective holds and everything was answered in time", () => {
    assert.deepEqual(judge("p99<5ms"), ["good", null, null]);
    assert.deepEqual(judge("within(5ms)>=99.9%,p999<5ms"), ["good", null, null]);
  });

  test("is bad when the objective fails, and says by what", () => {
    assert.deepEqual(judge("p99<50us"), ["bad", "slo", "p99 was 185 us"]);
    const [state, cause, reason] = judge("p50<5ms,within(50us)>=99.9%", ({ messages }) =>
      Object.assign(messages, { due: 200_000, sent: 200_000 }),
    );
    assert.deepEqual([state, cause], ["bad", "slo"]);
    assert.match(String(reason), /^within\(50us\) was 8\d\.\d %$/);
  });

  test("is bad when something was lost, failed or ended, whatever the latencies were", () => {
    assert.deepEqual(
      judge("p99<5ms", ({ messages }) => Object.assign(messages, { lost: 3 })),
      ["bad", "lost", "3 messages were lost"],
    );
    assert.deepEqual(
      judge("p99<5ms", ({ connections }) => Object.assign(connections, { failed: 2 })).slice(0, 2),
      ["bad", "connections"],
    );
    assert.deepEqual(
      judge("p99<5ms", (result) => Object.assign(result, { partial: { reason: "the target ended" } })),
      ["bad", "ended", "the target ended"],
    );
    assert.deepEqual(
      judge("p99<5ms", ({ errors }) => Object.assign(errors, { "wrong-length": 1 })).slice(0, 2),
      ["bad", "errors"],
    );
  });

  test("is bad when fewer than 99 % of what was due was answered, or a backlog grows", () => {
    const slow = (rate: number) =>
      judge("p99<5ms", ({ summary }) => Object.assign(summary, { messagesPerSecond: rate }));
    assert.deepEqual(slow(9901), ["good", null, null]);
    assert.deepEqual(slow(9899), ["bad", "rate", "9,899 replies/s came, 10,000 were due"]);
    assert.deepEqual(
      judge("p99<5ms", ({ series }) => Object.assign(series[1] ?? {}, { messagesPerSecond: 8000 })).slice(
        0,
        2,
      ),
      ["bad", "backlog"],
    );
  });

  test("is undecided when it failed while the generator was late by a fifth of the allowed time", () => {
    const late = (slo: string, lagUs: number) =>
      judge(slo, ({ client }) => Object.assign(client, { lagUs })).slice(0, 2);
    assert.deepEqual(late("p99<100us", 19), ["bad", "slo"]);
    assert.deepEqual(late("p99<100us", 20), ["unfit", "generator"]);
    // Latency counts from the due time, so the generator's lag is in it: what holds has held.
    assert.deepEqual(late("p99<5ms", 4000), ["good", null]);
  });

  test("is undecided when it failed while a generator thread was busy, unless that thread spins", () => {
    const busy = (ratePerSecond: number | null) =>
      judge("p99<50us", (result) => {
        result.client.lagUs = ratePerSecond === null ? null : 1;
        result.client.busiestThreadPercent = 97;
        Object.assign(result.scenario, { ratePerSecond });
      }).slice(0, 2);
    assert.deepEqual(busy(10_000), ["unfit", "generator"]);
    assert.deepEqual(busy(null), ["unfit", "generator"]);
    assert.deepEqual(busy(40_000), ["bad", "slo"]);
  });

  test("is undecided when the generator ran out of ports or descriptors", () => {
    const [state, cause, reason] = judge("p99<5ms", ({ connections, errors }) => {
      connections.failed = 10;
      errors["out-of-ports"] = 10;
    });
    assert.deepEqual([state, cause, reason], ["unfit", "generator", "the generator ran out of local ports"]);
  });

  test("without a Result is bad, unless that was the generator's fault", () => {
    assert.deepEqual(judgeNothing("no connection could be opened", ["unreachable"]), {
      state: "bad",
      cause: "nothing",
      reason: "no connection could be opened",
    });
    assert.equal(judgeNothing("no connection could be opened", ["out-of-descriptors"]).state, "unfit");
  });
});
