import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { recordScenario } from "../../../../bench/measure/scenario.ts";
import { closedLoads, openLoad } from "../../../../bench/peers/loads.ts";
import { type Measured, publish } from "../../../../bench/peers/publish.ts";
import { readComparison, readResult } from "../../../../bench/result/store.ts";
import { exampleComparison } from "../../../support/comparison.ts";
import { exampleResult } from "../../../support/result.ts";

const folder = mkdtempSync(join(tmpdir(), "uws-echo-publish-"));
after(() => rmSync(folder, { recursive: true }));

const durations = { warmupMs: 1000, durationMs: 3000 };
const peers = [
  { name: "uws-echo", target: "ours {port}", version: "0.1.0" },
  { name: "Peer", target: "theirs {port}", version: "9.9.9" },
];

/** The second server takes twice the CPU time and does half the messages. */
function measuredUnder(load: ReturnType<typeof openLoad>): Measured {
  const arms = peers.map(({ name, target }) => ({ name, target }));
  const comparison = {
    ...exampleComparison(arms, (arm, round) => ({
      serverCpuPerMessage: (arm + 1) * (4 + round / 100),
      messagesPerSecond: 100_000 / (arm + 1),
      p50: 100,
      p99: 200,
      p999: 300,
    })),
    scenario: recordScenario(load.scenario),
  };
  const slow = exampleResult((result) => {
    result.summary.messagesPerSecond = 1;
  });
  return { ...load, comparison, results: peers.map(() => [slow, exampleResult(), exampleResult()]) };
}

test("a published folder holds every file that its index names, and files that can be read back", () => {
  const run = join(folder, "2026-11-22");
  const loads = [...closedLoads(durations), openLoad(durations)];
  publish(run, "npm run bench:peers", peers, loads.map(measuredUnder));
  const text = readFileSync(join(run, "README.md"), "utf8");
  for (const [, file = ""] of text.matchAll(/\]\(([^)]+)\)/g)) {
    assert.ok(existsSync(join(run, file)), file);
  }
  for (const { title } of loads) {
    assert.ok(text.includes(`## ${title}\n`), title);
  }
  assert.match(
    text,
    /\| Peer \| 2\.000 \(2\.000 to 2\.000\): higher by 100 % \| 50,000 \(50,000 to 50,000\) \| 8\.04 us/,
  );
  assert.match(text, /Only 3 rounds/);
  for (const { name } of loads) {
    const comparison = readComparison(join(run, `${name}.comparison.json`));
    assert.equal(comparison.rounds, 3);
    for (const peer of ["uws-echo", "peer"]) {
      const { summary } = readResult(join(run, `${name}.${peer}.json`));
      assert.equal(summary.messagesPerSecond, 100_000, "the Result kept is a typical one");
    }
  }
});

test("the index of all runs names each, newest first", () => {
  const loads = [openLoad(durations)];
  publish(join(folder, "2026-12-01"), "npm run bench:peers", peers, loads.map(measuredUnder));
  const index = readFileSync(join(folder, "README.md"), "utf8");
  assert.deepEqual(
    [...index.matchAll(/\]\(([^)]+)\)/g)].map(([, file]) => file),
    ["2026-12-01/README.md", "2026-11-22/README.md"],
  );
  assert.match(index, /Test CPU \(2 cores\)/);
});

test("a folder is never written twice", () => {
  const before = readdirSync(join(folder, "2026-12-01"));
  const again = () => publish(join(folder, "2026-12-01"), "", peers, [measuredUnder(openLoad(durations))]);
  assert.throws(again, /already exists/);
  assert.deepEqual(readdirSync(join(folder, "2026-12-01")), before);
});

test("the loads have names fit for files, and the payloads they say", () => {
  const loads = closedLoads(durations);
  assert.deepEqual(
    loads.map(({ name }) => name),
    ["64b-x1", "64b-x16", "4kib-x1", "64kib-x4", "1mib-x2"],
  );
  assert.deepEqual(
    loads.map(({ scenario }) => scenario.endpoint.payloads[0]?.length),
    [64, 64, 4096, 65_536, 1_048_576],
  );
});
