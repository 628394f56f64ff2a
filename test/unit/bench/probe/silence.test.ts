import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { candidateTimes, planIdle } from "../../../../bench/probe/idle.ts";
import { idleChecks } from "../../../../bench/probe/silence.ts";
import type { Finding, IdleProbe } from "../../../../bench/result/check.ts";

type Kept = (intervalMs: number, traffic: IdleProbe["traffic"]) => boolean;

/** The probes of `--idle 2m` where connections that are not kept are cut after a time. */
function probes(cutMs: number, isKept: Kept, changes: Partial<IdleProbe> = {}): IdleProbe[] {
  return planIdle(120_000, { isEcho: true }).map(({ traffic, intervalMs, lengthMs }) => {
    const kept = isKept(intervalMs, traffic);
    return {
      traffic,
      intervalMs,
      outcome: kept ? "kept" : "cut",
      afterMs: kept ? lengthMs : cutMs,
      ending: kept ? null : "the target ended the connection without a close frame",
      serverPings: 0,
      ...(kept ? {} : changes),
    };
  });
}

function conclude(all: readonly IdleProbe[]): Record<"silent" | "ping" | "data", Finding> {
  const [silent, ping, data] = idleChecks.map((check) => check.conclude(all, true));
  assert.ok(silent && ping && data);
  return { silent, ping, data };
}

const minuteMs = 60_000;

describe("idle probes", () => {
  test("try common timeouts, up to the requested time", () => {
    const seconds = [1, 2, 5, 10, 15, 20, 25, 30, 45, 55];
    assert.deepEqual(
      candidateTimes(65_000),
      seconds.map((each) => each * 1000),
    );
    assert.deepEqual(candidateTimes(300), [20, 50, 100, 200]);
  });

  test("that are all kept pass", () => {
    const { silent, ping, data } = conclude(probes(0, () => true));
    assert.deepEqual([silent.status, ping.status, data.status], ["pass", "pass", "pass"]);
    assert.equal(silent.seen, "open after 2 min of silence");
    assert.equal(ping.seen, "open after 2 min with a ping every 110 s");
  });

  test("that are kept by pings of the server say so", () => {
    const all = probes(0, () => true).map((probe) => ({ ...probe, serverPings: 4 }));
    assert.match(conclude(all).silent.seen, /; 4 pings came meanwhile and were answered$/);
  });

  test("report a limit on silence, and the longest safe time between pings", () => {
    const { silent, ping, data } = conclude(probes(minuteMs + 3, (intervalMs) => intervalMs < minuteMs));
    assert.equal(silent.status, "fails");
    assert.equal(silent.seen, "after 60 s of silence: the target ended the connection without a close frame");
    assert.equal(silent.advice, "cuts silence after 60 s; a ping every 45 s keeps it");
    assert.deepEqual([ping.status, data.status], ["pass", "pass"]);
  });

  test("report that pings do not count, and that messages do", () => {
    const { silent, ping, data } = conclude(
      probes(5008, (intervalMs, traffic) => traffic === "data" && intervalMs < 5000),
    );
    assert.equal(
      silent.advice,
      "cuts silence after 5 s and does not count pings; a message every 2 s keeps it",
    );
    assert.deepEqual([ping.status, data.status], ["fails", "pass"]);
    assert.match(ping.seen, /^a ping every 2 s does not keep it: after 5 s: /);
    assert.equal(data.seen, "open after 2 min with a message every 2 s");
  });

  test("say when all were slower than the limit", () => {
    const { silent, ping } = conclude(probes(500, () => false));
    assert.equal(silent.advice, "cuts silence after 500 ms; every probe was slower than that: lower --idle");
    assert.equal(ping.status, "not-tested");
  });

  test("report a limit on lifetime, which nothing extends", () => {
    const { silent, ping, data } = conclude(
      probes(minuteMs, (intervalMs, traffic) => traffic === "silent" && intervalMs < minuteMs),
    );
    assert.equal(silent.advice, "ends connections after 60 s whatever is sent: clients have to reconnect");
    assert.deepEqual([ping.status, data.status], ["fails", "fails"]);
    assert.match(ping.seen, /^a ping every 2 s to 45 s does not keep it: after 60 s: /);
  });

  test("report connections that are dropped silently", () => {
    const dead = { outcome: "lost", ending: "no pong within 5000 ms" } as const;
    const { silent } = conclude(probes(0, (intervalMs) => intervalMs < minuteMs, dead));
    assert.match(
      silent.seen,
      /^after 90 s of silence the connection is dead, though nothing has ended it: no pong/,
    );
    assert.equal(
      silent.advice,
      "forgets silent connections later than 55 s and within 90 s; a ping every 55 s keeps it",
    );
  });

  test("that were interrupted test nothing", () => {
    const all = probes(0, () => false, { outcome: "unknown", afterMs: 9000, ending: "interrupted" });
    const { silent, ping } = conclude(all);
    assert.deepEqual([silent.status, silent.seen], ["not-tested", "interrupted"]);
    assert.deepEqual([ping.status, ping.seen], ["not-tested", "interrupted"]);
  });
});
