import assert from "node:assert/strict";
import { test } from "node:test";
import type { Result, ServerFigures } from "../../../../bench/result/schema.ts";
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
  for (const second of result.series) {
    second.messagesPerSecond = reachedPerSecond;
  }
}

/** The change, to a Result whose server is known. */
function withServer(change: (server: ServerFigures) => void): (result: Result) => void {
  return ({ server }) => {
    if (server !== undefined) {
      change(server);
    }
  };
}

const noConnects = {
  askedPerSecond: null,
  perSecond: 1000,
  compressed: 0,
  lag: null,
  tcp: null,
  tls: null,
  upgrade: null,
  open: null,
  firstEcho: null,
};

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
  assert.match(onlyWarning(corrupt), /3 of 200,000 messages were corrupt/);
  assert.equal(verdict(corrupt), "invalid");
  assert.equal(judge(exampleResult(corrupt)).failures.length, 1);
});

test("a run without replies is invalid, and has no warning about percentiles", () => {
  const { warnings, verdict: judged } = judge(
    exampleResult((result) => {
      result.messages.received = 0;
      result.summary.latencyUs = null;
      result.summary.serviceUs = null;
    }),
  );
  assert.equal(judged, "invalid");
  assert.deepEqual(warnings, ["No replies were received, so nothing could be measured."]);
});

test("connections that were closed early or never opened, and errors, make the result void", () => {
  const close = (result: Result) => {
    result.connections.closedEarly = 2;
  };
  assert.match(onlyWarning(close), /2 of 64 connections closed early/);
  assert.equal(verdict(close), "invalid");
  const closeHttp = (result: Result) => {
    close(result);
    result.target.url = "http://127.0.0.1:9998/healthz";
  };
  assert.match(
    onlyWarning(closeHttp),
    /closed connections 2 times: it may limit the requests on a connection/,
  );
  const refuse = (result: Result) => {
    result.connections.failed = 30;
  };
  assert.equal(verdict(refuse), "invalid");
  for (const kind of ["surplus-reply", "duplicate-reply"]) {
    const answer = (result: Result) => {
      openLoop(result, 100_000);
      result.errors = { [kind]: 1 };
    };
    assert.equal(verdict(answer), "invalid", kind);
  }
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
  const idle = withServer((server) => Object.assign(server, { cpuPercent: 40, busiestThreadPercent: 39 }));
  assert.match(onlyWarning(idle), /not saturated: it used 40\.0 %/);
  assert.equal(verdict(idle), "idle");
});

test("a target is saturated by its busiest thread or by all its CPUs, whatever its other processes are", () => {
  const sixteen = Array.from({ length: 16 }, (_, cpu) => cpu + 1);
  const goServer = { cpuPercent: 95, busiestThreadPercent: 12, cpus: sixteen };
  assert.equal(verdict(withServer((server) => Object.assign(server, goServer))), "idle");
  const allCores = { cpuPercent: 1520, busiestThreadPercent: 40, cpus: sixteen };
  assert.equal(verdict(withServer((server) => Object.assign(server, allCores))), "server-bound");
  const wrapped = { cpuPercent: 96, busiestThreadPercent: 94, workers: 2, cpus: sixteen };
  assert.equal(verdict(withServer((server) => Object.assign(server, wrapped))), "server-bound");
});

test("a runtime with threads whose page does not report them may be saturated or not", () => {
  const page = { source: "metrics", cpus: null, busiestThreadPercent: null, cpuPercent: 95 };
  const unknown = withServer((server) => Object.assign(server, page));
  assert.equal(verdict(unknown), "idle");
  assert.match(onlyWarning(unknown), /Whether the target was saturated is unknown/);
});

test("a target that waited for a CPU is called starved, not idle", () => {
  const starved = withServer((server) =>
    Object.assign(server, { cpuPercent: 55, busiestThreadPercent: 55, waitedPercent: 44 }),
  );
  assert.match(
    judge(exampleResult(starved)).warnings.join(),
    /was starved: it used 55\.0 % .* waited for one 44\.0 %/,
  );
});

test("the saturation of an unknown target is reported as unknown", () => {
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
      Object.assign(result.server, { cpuPercent: 30, busiestThreadPercent: 30 });
    }
  };
  assert.equal(verdict(reach), "rate-limited");
  assert.deepEqual(judge(exampleResult(reach)).warnings, []);
});

test("blames the target for an open loop below its rate if the messages were sent", () => {
  const short = (result: Result) => openLoop(result, 75_000);
  assert.match(onlyWarning(short), /did not keep up: 75,000 replies\/s arrived, 100,000 were due/);
  assert.equal(verdict(short), "server-bound");
});

test("blames the generator for an open loop that falls behind its own schedule", () => {
  const late = (result: Result) => {
    openLoop(result, 75_000);
    result.client.lagUs = 400_000;
    if (result.server) {
      Object.assign(result.server, { cpuPercent: 30, busiestThreadPercent: 30 });
    }
  };
  assert.equal(verdict(late), "client-bound");
  assert.match(judge(exampleResult(late)).warnings.join(), /generator was the bottleneck/);
});

test("messages that the target did not accept make it the bottleneck, and fail the run", () => {
  const push = (result: Result) => {
    openLoop(result, 25_000);
    Object.assign(result.messages, { sent: 50_000, received: 50_000, unsent: 150_000 });
    result.client.busiestThreadPercent = 2;
  };
  const { verdict: judged, failures, warnings } = judge(exampleResult(push));
  assert.equal(judged, "server-bound");
  assert.deepEqual(failures, ["150,000 of 200,000 messages that were due could not be sent"]);
  assert.match(
    warnings.join(),
    /150,000 of 200,000 messages that were due could not be sent: the target did not accept more/,
  );
});

test("a constant delay is not a limit: replies came late, but as fast as they were due", () => {
  const delayed = (result: Result) => {
    openLoop(result, 50_000);
    result.series.forEach((second, i) => {
      second.messagesPerSecond = i === 0 ? 0 : 100_000;
    });
    if (result.server) {
      Object.assign(result.server, { cpuPercent: 30, busiestThreadPercent: 30 });
    }
  };
  assert.equal(verdict(delayed), "rate-limited");
});

test("few random arrivals by chance do not change the verdict", () => {
  const few = (result: Result) => {
    openLoop(result, 88);
    Object.assign(result.scenario, { ratePerSecond: 100, arrivals: "poisson" });
    Object.assign(result.messages, { due: 180, sent: 180, received: 180 });
    if (result.server) {
      Object.assign(result.server, { cpuPercent: 1, busiestThreadPercent: 1, receivedMessages: 180 });
    }
  };
  assert.equal(verdict(few), "rate-limited");
  assert.doesNotMatch(judge(exampleResult(few)).warnings.join(), /keep up|backlog/);
});

test("a machine that is busy with other work is reported, with the evidence", () => {
  const crowded = (result: Result) => {
    result.machine = { loadAverage: 8, cores: 2, busyPercent: 190, stealPercent: 12, pressurePercent: 76 };
    result.client.waitedPercent = 30;
  };
  assert.match(
    onlyWarning(crowded),
    /busy with something else \(25\.5 % of its CPU went neither .*; the hypervisor took 6\.0 %; load average 8 on 2 cores; .*76\.0 % of the time; the generator waited for a CPU 30\.0 %/,
  );
});

test("reports a run that was not steady, with the figure that changed", () => {
  const slower = (result: Result) => {
    result.steadiness = { verdict: "slowing-down", changedAtSeconds: 12, figure: "p50Us", factor: 1.4 };
  };
  assert.match(onlyWarning(slower), /slowing down: p50Us changed at 12 s, 40\.0 % up/);
});

test("metrics of one replica, or of several in turns, are reported as such", () => {
  assert.match(
    onlyWarning(withServer((server) => Object.assign(server, { receivedMessages: 66_000 }))),
    /count only 66,000 of 200,000 messages: they are of one replica/,
  );
  assert.match(
    judge(
      exampleResult(withServer((server) => Object.assign(server, { replicas: 3, cpuPercent: null }))),
    ).warnings.join(),
    /3 different processes served the target's metrics/,
  );
  assert.match(
    onlyWarning(withServer((server) => Object.assign(server, { silent: ["10.0.0.3", "10.0.0.4"] }))),
    /The metrics of 10\.0\.0\.3, 10\.0\.0\.4 could not always be read/,
  );
});

test("declined compression, and bursts and hiccups of the generator, are reported", () => {
  const declined = (result: Result) => {
    result.scenario.compression = true;
    result.connects = { ...noConnects, compressed: 60 };
  };
  assert.match(onlyWarning(declined), /declined on 4 of 64 connections/);
  const bursts = (result: Result) => {
    openLoop(result, 100_000);
    result.generator = { hiccupUs: null, dispersion: 4.2 };
  };
  assert.match(
    onlyWarning(bursts),
    /in bursts: the index of dispersion was 4\.2, where even arrivals have 0/,
  );
  const hiccup = (result: Result) => {
    result.generator = { hiccupUs: { p50: 100, p99: 900, max: 70_000 }, dispersion: null };
  };
  assert.match(onlyWarning(hiccup), /generator itself was held up for 70\.0 ms/);
});

test("replies beyond the requested rate are reported as a backlog", () => {
  assert.match(
    onlyWarning((result) => openLoop(result, 120_000)),
    /More replies arrived than messages were due \(120,000 per second, 100,000 due\)/,
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

test("a run too short for p99.99 names the highest reliable percentile", () => {
  const received = (messages: number) => (result: Result) => {
    result.messages.received = messages;
  };
  assert.match(onlyWarning(received(99_000)), /99,000 messages, trust none above p99\.9$|above p99\.9\./);
  assert.match(onlyWarning(received(1_500)), /none above p99\./);
  assert.match(onlyWarning(received(20)), /believe none of them/);
});

test("client and server that saturate shared cores are advised to move apart", () => {
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
