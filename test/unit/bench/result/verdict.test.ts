import assert from "node:assert/strict";
import { test } from "node:test";
import type { Result } from "../../../../bench/result/schema.ts";
import { judge } from "../../../../bench/result/verdict.ts";
import { exampleResult } from "../../../support/result.ts";

/** The one warning that a single change of a sound measurement brings. */
function onlyWarning(change: (result: Result) => void): string {
  const { warnings } = judge(exampleResult(change));
  assert.equal(warnings.length, 1, `one warning, not: ${warnings.join(" | ")}`);
  return warnings[0] ?? "";
}

function verdict(change: (result: Result) => void): string {
  return judge(exampleResult(change)).verdict;
}

function openLoop(result: Result, reachedPerSecond: number): void {
  result.loop = "open";
  result.latencyFrom = "intended-send";
  result.scenario.depth = null;
  result.scenario.ratePerSecond = 100_000;
  result.scenario.arrivals = "even";
  result.client.lagUs = 5;
  result.summary.messagesPerSecond = reachedPerSecond;
}

test("a sound measurement of a saturated target has no warnings and is server-bound", () => {
  const result = judge(exampleResult());
  assert.deepEqual(result.warnings, []);
  assert.equal(result.verdict, "server-bound");
  assert.deepEqual(result.failures, []);
});

test("lost messages make the result void", () => {
  const lose = (result: Result) => {
    result.messages.lost = 12;
  };
  assert.match(onlyWarning(lose), /12 of 200,000 messages were lost: the result is invalid/);
  assert.equal(verdict(lose), "invalid");
  assert.match(judge(exampleResult(lose)).failures.join(), /12 messages were lost/);
});

test("corrupt messages make the result void", () => {
  const corrupt = (result: Result) => {
    result.messages.corrupt = 3;
  };
  assert.match(onlyWarning(corrupt), /3 of 200,000 messages came back corrupt/);
  assert.equal(verdict(corrupt), "invalid");
  assert.equal(judge(exampleResult(corrupt)).failures.length, 1);
});

test("no reply at all is void, and no percentile is talked about", () => {
  const { warnings, verdict: judged } = judge(
    exampleResult((result) => {
      result.messages.received = 0;
      result.summary.latencyUs = null;
      result.summary.serviceUs = null;
    }),
  );
  assert.equal(judged, "invalid");
  assert.deepEqual(warnings, ["No message came back, so nothing could be measured."]);
});

test("connections closed early are counted in a warning but do not fail the run", () => {
  const close = (result: Result) => {
    result.connections.closedEarly = 2;
  };
  assert.match(onlyWarning(close), /2 of 64 connections closed early/);
  assert.deepEqual(judge(exampleResult(close)).failures, []);
});

test("failed connections, errors, an early end and a missed threshold fail the run", () => {
  const { failures } = judge(
    exampleResult((result) => {
      result.connections.failed = 1;
      result.errors = { "connect-refused": 1, reset: 2 };
      result.partial = { reason: "the target went away" };
      result.thresholds = [
        { expression: "p99<5ms", actual: 7000, unit: "us", passed: false },
        { expression: "lost==0", actual: 0, unit: null, passed: true },
      ];
    }),
  );
  assert.deepEqual(failures, [
    "the run ended early: the target went away",
    "1 connections failed",
    "3 errors occurred",
    "threshold p99<5ms was not met: it was 7.00 ms",
  ]);
});

test("a busy generator thread is named as the bottleneck, with its figure", () => {
  const busy = (result: Result) => {
    result.client.busiestThreadPercent = 97.5;
  };
  assert.match(onlyWarning(busy), /generator was the bottleneck .*97\.5 %/);
  assert.equal(verdict(busy), "client-bound");
});

test("a target with time to spare was not saturated", () => {
  const idle = (result: Result) => {
    if (result.server) {
      result.server.cpuPercent = 40;
    }
  };
  assert.match(onlyWarning(idle), /not saturated: it used 40\.0 %/);
  assert.equal(verdict(idle), "idle");
});

test("a target with two workers is saturated only when both are", () => {
  const twoWorkers = (result: Result) => {
    if (result.server) {
      Object.assign(result.server, { workers: 2, cpus: [1, 2] });
    }
  };
  assert.match(onlyWarning(twoWorkers), /not saturated: it used 49\.5 %/);
});

test("whether an unknown target was saturated is said to be unknown", () => {
  const unknown = (result: Result) => {
    delete result.server;
  };
  assert.match(onlyWarning(unknown), /unknown: its CPU time could not be read/);
  assert.equal(verdict(unknown), "idle");
});

test("an open loop that reaches its rate is rate-limited, even when it spins while it waits", () => {
  const reach = (result: Result) => {
    openLoop(result, 99_500);
    result.client.busiestThreadPercent = 100;
    if (result.server) {
      result.server.cpuPercent = 30;
    }
  };
  assert.equal(verdict(reach), "rate-limited");
  assert.deepEqual(judge(exampleResult(reach)).warnings, []);
});

test("an open loop short of its rate is the target's doing when the messages were sent", () => {
  const short = (result: Result) => openLoop(result, 75_000);
  assert.match(onlyWarning(short), /rate was not reached: 75,000 of 100,000 messages\/s \(75\.0 %\)/);
  assert.equal(verdict(short), "server-bound");
});

test("an open loop short of its rate is the generator's doing when they were not", () => {
  const late = (result: Result) => {
    openLoop(result, 75_000);
    result.messages.sent = 150_000;
    if (result.server) {
      result.server.cpuPercent = 30;
    }
  };
  assert.equal(verdict(late), "client-bound");
  assert.match(judge(exampleResult(late)).warnings.join(), /generator was the bottleneck/);
});

test("replies beyond the asked rate are told to be a backlog", () => {
  assert.match(
    onlyWarning((result) => openLoop(result, 120_000)),
    /More replies came than messages were due \(120,000 per second, 100,000 requested\)/,
  );
});

test("a lag that is a large part of the latency is warned about, a small one is not", () => {
  assert.match(
    onlyWarning((result) => {
      openLoop(result, 100_000);
      result.client.lagUs = 90;
    }),
    /lag is a large part of the latency: its p99 is 90\.0 us/,
  );
});

test("a run too short for p99.99 says up to where it may be believed", () => {
  const received = (messages: number) => (result: Result) => {
    result.messages.received = messages;
  };
  assert.match(onlyWarning(received(99_000)), /99,000 messages, trust none above p99\.9$|above p99\.9\./);
  assert.match(onlyWarning(received(1_500)), /none above p99\./);
  assert.match(onlyWarning(received(20)), /believe none of them/);
});

test("client and server that fill the cores they share are told to move apart", () => {
  const crowd = (result: Result) => {
    result.client.cpus = [0, 1];
    result.client.cpuPercent = 90;
    if (result.server) {
      result.server.cpus = [0, 1];
    }
  };
  assert.match(onlyWarning(crowd), /share cores 0, 1 and together used 189\.0 %/);
  assert.match(
    onlyWarning((result) => {
      result.client.cpus = [1];
    }),
    /share core 1 /,
  );
});

test("client and server on the same cores with room to spare are not warned about", () => {
  assert.deepEqual(
    judge(
      exampleResult((result) => {
        result.client.cpus = [0, 1, 2, 3];
        if (result.server) {
          result.server.cpus = [0, 1, 2, 3];
        }
        if (result.server) {
          result.server.workers = 1;
        }
      }),
    ).warnings,
    [],
  );
});

test("a closed loop that met a stall is labelled as hiding it, an open loop is not", () => {
  const stall = (result: Result) => {
    if (result.summary.latencyUs) {
      result.summary.latencyUs.max = 500_000;
    }
  };
  assert.match(onlyWarning(stall), /slowest reply took 500 ms: a closed loop stops sending/);
  assert.deepEqual(
    judge(
      exampleResult((result) => {
        openLoop(result, 100_000);
        stall(result);
      }),
    ).warnings,
    [],
  );
});
