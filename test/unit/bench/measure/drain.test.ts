import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  concludeDrain,
  type DrainOptions,
  drainMetrics,
  drainScenario,
} from "../../../../bench/measure/drain.ts";
import type { GroupFigures } from "../../../../bench/measure/figures.ts";
import type { SessionOutcome } from "../../../../bench/measure/session.ts";
import { drainReports, formatDrain } from "../../../../bench/report/session/drain.ts";
import { type DrainTrigger, drainSchema } from "../../../../bench/result/drain.ts";
import { parseThresholdOf } from "../../../../bench/result/threshold.ts";
import { plainLook } from "../../../../src/lib/terminal.ts";
import {
  exampleFigures,
  exampleOutcome,
  exampleStep,
  exampleTarget,
  noCounters,
  timedFigures,
} from "../../../support/session.ts";

const options: DrainOptions = {
  label: null,
  target: exampleTarget,
  connections: 64,
  ratePerSecond: 1000,
  payload: new Uint8Array(64),
  atMs: 10_000,
  forMs: 20_000,
  reconnect: { kind: "backoff", baseMs: 100, maxMs: 5000, jitter: "full" },
  expectedCloses: [1001],
  resources: { threads: 1, seed: 1, part: undefined },
};
const trigger: DrainTrigger = {
  kind: "signal",
  what: "SIGTERM to 1234",
  atSeconds: 10,
  exitCode: null,
  seconds: 0.4,
};

/** Two seconds of a drain of 64 clients whose replies take 1 ms. */
function outcomeOf(
  during: Partial<GroupFigures["counters"]>,
  changes: Partial<GroupFigures> = {},
  ofSession: Partial<SessionOutcome> = {},
): SessionOutcome {
  const usual = timedFigures(Array.from({ length: 2000 }, () => 1000));
  const { distributions } = exampleFigures();
  const timed = { ...distributions, latency: usual, service: usual };
  const second = {
    endSeconds: 1,
    counters: { ...noCounters(), received: 1000, closedExpected: 64 },
    latencyUs: { p50: 1000, p99: 1000, max: 1000 },
    openConnections: 64,
  };
  return exampleOutcome(
    [
      exampleStep("before", 0, 10_000, {
        groups: { clients: exampleFigures({ sent: 10_000, answered: 10_000 }, { distributions: timed }) },
      }),
      exampleStep("drain", 10_000, 20_000, {
        groups: {
          clients: exampleFigures(during, {
            distributions: timed,
            closes: [{ second: 10, kind: "closed-1001", code: 1001, status: null, count: 64 }],
            seconds: [second],
            openConnections: 64,
            ...changes,
          }),
        },
      }),
    ],
    ofSession,
  );
}

describe("drainScenario", () => {
  it("sends numbered messages, so that a reply that is missing is noticed", () => {
    const [group] = drainScenario(options).groups;
    assert.ok(group?.traffic.kind === "echo");
    assert.equal(group.traffic.messages.verify, "full");
  });
});

describe("concludeDrain", () => {
  it("has no failures when every accepted echo arrived and every client reconnected", () => {
    const report = concludeDrain(
      options,
      outcomeOf({ sent: 20_000, answered: 20_000, reconnected: 64 }),
      trigger,
      [],
    );
    assert.deepEqual(report.failures, []);
    assert.equal(report.messages.accepted, 30_000);
    assert.equal(report.gaps.back, 64);
    drainSchema.parse(report);
  });

  it("does not count messages that crossed the close frame against the server", () => {
    const outcome = outcomeOf({ sent: 20_000, answered: 19_990, lost: 7, crossed: 3 });
    const report = concludeDrain(options, outcome, trigger, []);
    assert.deepEqual(
      [report.messages.accepted, report.messages.lost, report.messages.crossed],
      [29_997, 7, 3],
    );
    assert.deepEqual(report.failures, ["7 echoes were lost"]);
    assert.match(report.warnings.join(), /3 messages crossed a close frame/);
  });

  it("fails on 1006, on clients that have not reconnected, and on a command that failed", () => {
    const report = concludeDrain(
      options,
      outcomeOf(
        { sent: 10, answered: 10 },
        {
          absentClients: 2,
          closes: [{ second: 11, kind: "closed-1006", code: 1006, status: null, count: 5 }],
        },
      ),
      { ...trigger, kind: "exec", what: "false", exitCode: 1 },
      [parseThresholdOf(drainMetrics, "absent==0")],
    );
    assert.deepEqual(report.failures, [
      "threshold absent==0 was not met: it was 2",
      "5 connections ended with 1006",
      "2 clients did not come back",
      "the command ended with exit code 1",
    ]);
  });

  it("takes the end of the last client as the end if none reconnects", () => {
    const ended = { cause: "target-gone", reason: "the target ended every connection" } as const;
    const gone = outcomeOf({ sent: 10, answered: 10 }, { absentClients: 64 }, { endedEarly: ended });
    assert.deepEqual(
      concludeDrain({ ...options, reconnect: { kind: "never" } }, gone, trigger, []).failures,
      [],
    );
    assert.equal(concludeDrain(options, gone, trigger, []).partial?.reason, ended.reason);
  });

  it("warns of a drain that closed no client", () => {
    const report = concludeDrain(options, outcomeOf({ sent: 10, answered: 10 }, { closes: [] }), trigger, []);
    assert.match(report.warnings.join(), /did not reach the server/);
  });
});

describe("the reports of drain", () => {
  const document = concludeDrain(
    options,
    outcomeOf({ sent: 20_000, answered: 19_997, lost: 3 }),
    trigger,
    [],
  );

  it("says what was lost, within 80 columns", () => {
    const text = formatDrain(document, { ...plainLook, width: 80 });
    assert.match(text, /NOT ACCEPTABLE: 3 echoes were lost\./);
    assert.match(text, /30,000 accepted, 29,997 answered, 3 LOST/);
    assert.match(text, /64 closed-1001 \(at 10 s\)/);
    for (const line of text.split("\n")) {
      assert.ok(line.length <= 80, line);
    }
  });

  it("is a page, a table and CSV as well", () => {
    const report = (format: "markdown" | "csv" | "html"): string =>
      drainReports.report([{ name: "drain.json", text: JSON.stringify(document) }], {
        format,
        service: false,
        look: plainLook,
      });
    assert.match(report("html"), /3 of 30,000 accepted echoes lost/);
    assert.match(report("markdown"), /\| 30,000 \| 3 \| 0 \|/);
    assert.match(report("csv"), /messages\.lost/);
  });
});
