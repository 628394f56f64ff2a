import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { concludeSlow, type SlowOptions, slowScenario } from "../../../../bench/measure/slow.ts";
import { formatSlow, slowReports } from "../../../../bench/report/session/slow.ts";
import { slowSchema } from "../../../../bench/result/slow.ts";
import { valueAt } from "../../../../bench/scenario/curve.ts";
import { plainLook } from "../../../../src/lib/terminal.ts";
import {
  exampleFigures,
  exampleOutcome,
  exampleSample,
  exampleStep,
  exampleTarget,
} from "../../../support/session.ts";

const miB = 2 ** 20;
const options: SlowOptions = {
  label: null,
  target: exampleTarget,
  neighbours: 95,
  neighbourRate: 1000,
  neighbourPayload: new Uint8Array(64),
  readers: 5,
  readRate: 0,
  readerRate: 100,
  readerPayload: new Uint8Array(miB),
  beforeMs: 5000,
  duringMs: 10_000,
  reconnect: { kind: "never" },
  expectedCloses: [],
  resources: { threads: 1, seed: 1, part: undefined },
};

/** 100 MiB are sent and not read; the server and the kernel grow by so much, and readers fare as counted. */
function outcomeOf(growthMiB: number, absorbedMiB: number, readers = {}, neighbours = {}, dropped = 0) {
  const server = (growth: number, tcp: number, droppedMessages: number) => ({
    source: "pid" as const,
    cpus: null,
    samples: [
      exampleSample(
        0,
        { rssBytes: (80 + growth) * miB, droppedMessages },
        { kernel: { slabBytes: 0, tcpBytes: tcp * miB } },
      ),
    ],
  });
  const step = (name: string, fromMs: number, growth: number, tcp: number) =>
    exampleStep(name, fromMs, 5000, {
      groups: {
        neighbours: exampleFigures({ sent: 5000, answered: 5000, ...(name === "during" ? neighbours : {}) }),
        readers: exampleFigures(name === "during" ? { sent: 100, ...readers } : {}),
      },
      server: server(growth, tcp, name === "before" ? 0 : dropped),
    });
  return exampleOutcome([
    step("before", 0, 0, 1),
    step("during", 5000, growthMiB, 1 + absorbedMiB),
    step("after", 15_000, 0, 1),
  ]);
}

describe("slowScenario", () => {
  it("has slow readers only in the middle", () => {
    const readers = slowScenario(options).groups.find(({ name }) => name === "readers");
    assert.deepEqual(
      [0, 4999, 5000, 14_999, 15_000].map((atMs) => valueAt(readers?.population.size ?? [], atMs)),
      [0, 0, 5, 5, 0],
    );
  });
});

describe("concludeSlow", () => {
  it("distinguishes a server that buffers from one that closes, drops, or stops reading", () => {
    const reactionsOf = (...args: Parameters<typeof outcomeOf>) =>
      concludeSlow(options, outcomeOf(...args), []).reactions;
    assert.deepEqual(reactionsOf(90, 10), ["buffers"]);
    assert.deepEqual(reactionsOf(2, 10, { closedExpected: 5, unsent: 50 }), ["closes"]);
    assert.deepEqual(reactionsOf(0, 10, { unsent: 50 }), ["stops-reading"]);
    assert.deepEqual(reactionsOf(0, 100), ["absorbed"]);
  });

  it("does not report that a server drops messages for those that made it close a reader", () => {
    const reactionsWhenDropped = (dropped: number) =>
      concludeSlow(options, outcomeOf(2, 10, { closedExpected: 5 }, {}, dropped), []).reactions;
    assert.deepEqual(reactionsWhenDropped(5), ["closes"]);
    assert.deepEqual(reactionsWhenDropped(6), ["closes", "drops"]);
  });

  it("says what the kernels absorbed", () => {
    const report = concludeSlow(options, outcomeOf(90, 10), []);
    assert.equal(report.absorbedBytes, 10 * miB);
    assert.match(report.warnings.join(), /buffers of both ends took 10 MiB before the server noticed/);
    slowSchema.parse(report);
  });

  it("fails for the neighbours, not for slow readers", () => {
    const outcome = outcomeOf(0, 10, { lost: 100, closedExpected: 5 }, { lost: 2, closed: 1 });
    assert.deepEqual(concludeSlow(options, outcome, []).failures, [
      "2 echoes of neighbours were lost",
      "1 neighbour was closed",
    ]);
  });
});

describe("the reports of slow", () => {
  const document = concludeSlow(options, outcomeOf(90, 10), []);

  it("shows all three times within 80 columns", () => {
    const text = formatSlow(document, { ...plainLook, width: 80 });
    assert.match(text, /^reaction +buffers what they do not read$/m);
    assert.match(text, /^during +170 MiB/m);
    for (const line of text.split("\n")) {
      assert.ok(line.length <= 80, line);
    }
  });

  it("is a page as well", () => {
    const sources = [{ name: "slow.json", text: JSON.stringify(document) }];
    const page = slowReports.report(sources, { format: "html", service: false, look: plainLook });
    assert.match(page, /The server buffers what they do not read/);
  });
});
