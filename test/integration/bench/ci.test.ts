// What CI systems read from the commands: exit codes, JUnit files, summaries.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { historySchema } from "../../../bench/result/history.ts";
import { formatResultLine, writeResult } from "../../../bench/result/store.ts";
import { harnessPath } from "../../support/harness.ts";
import { startMisbehavingServer } from "../../support/misbehaving-server.ts";
import { exampleResult } from "../../support/result.ts";

const folder = mkdtempSync(join(tmpdir(), "bench-ci-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [harnessPath, ...args],
      { cwd: folder, timeout: 60_000 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const read = (name: string): string => readFileSync(join(folder, name), "utf8");

test("run writes a JUnit file, and adds to a summary", async (t) => {
  const { url } = await startMisbehavingServer(t);
  writeFileSync(join(folder, "summary.md"), "before\n");
  const load = ["-d", "300ms", "-w", "100ms", "-c", "2"];
  const ci = ["--junit", "junit.xml", "--summary", "summary.md"];
  const { code, stderr } = await bench(
    "run",
    url,
    ...load,
    ...ci,
    "--threshold",
    "p99<1us",
    "--threshold",
    "lost==0",
  );
  assert.equal(code, 1, stderr);
  assert.match(read("junit.xml"), /<testsuites tests="3" failures="1"/);
  assert.match(read("junit.xml"), /<testcase name="p99&lt;1us"[^>]*>\s*<failure message="it was /);
  assert.match(read("summary.md"), /^before\n## ws:[\s\S]*\| Target \|[\s\S]*p99<1us \*\*not met\*\*/);
});

test("run that measures nothing says so in the JUnit file; one that cannot be written is reported before", async () => {
  const load = ["-d", "300ms", "-w", "0", "-c", "1"];
  const nobody = await bench("run", "ws://127.0.0.1:1/", ...load, "--junit", "nothing.xml");
  assert.equal(nobody.code, 3);
  assert.match(read("nothing.xml"), /something was measured[\s\S]*no connection could be opened/);
  const wrong = await bench("run", "ws://127.0.0.1:1/", ...load, "--junit", "summary.md/x", "--summary", ".");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /--junit: cannot write[\s\S]*--summary: cannot write/);
});

const fruitless: readonly (readonly [command: string, ...options: string[]])[] = [
  ["storm", "-c", "1", "--before", "1s", "--duration", "1s"],
  ["drain", "--exec", "true", "--at", "1s", "--for", "1s"],
  ["slow", "-c", "2", "--before", "1s", "--duration", "1s"],
  ["soak", "-d", "5s", "-w", "0", "-c", "1"],
  ["check", "--idle", "1s"],
  ["sweep", "-c", "1", "-d", "100ms", "-w", "0"],
];

for (const [command, ...options] of fruitless) {
  test(`${command} without a target writes a failed test case and a summary`, async () => {
    const ci = ["--junit", `${command}.xml`, "--summary", `${command}.md`];
    const { code, stderr } = await bench(command, "ws://127.0.0.1:1/", ...options, ...ci);
    assert.equal(code, 3, stderr);
    assert.match(read(`${command}.xml`), new RegExp(`failures="1"[\\s\\S]*uws-echo-bench ${command}: ws://`));
    assert.match(
      read(`${command}.xml`),
      /<testcase name="something was measured"[^>]*>\s*<failure message="./,
    );
    assert.match(read(`${command}.md`), /\*\*Nothing was measured\*\*: ./);
  });
}

test("idle and search without a target write a failed test case", async () => {
  const idle = await bench(
    "idle",
    "ws://127.0.0.1:1/",
    "--steps",
    "1,2,3,4",
    "--hold",
    "1s",
    "--junit",
    "idle.xml",
  );
  assert.equal(idle.code, 1, idle.stderr);
  assert.match(read("idle.xml"), /<failure message="4 connections failed"/);
  const search = await bench("search", "ws://127.0.0.1:1/", "--slo", "p99<1ms", "--junit", "search.xml");
  assert.equal(search.code, 3, search.stderr);
  assert.match(read("search.xml"), /<failure message="./);
});

test("a host without an address, and a refused merge, are failed test cases too", async () => {
  const unknown = await bench("idle", "ws://does-not-exist.invalid/", "--junit", "unknown.xml");
  assert.equal(unknown.code, 3, unknown.stderr);
  assert.match(read("unknown.xml"), /<failure message="[^"]*does-not-exist.invalid/);
  writeFileSync(join(folder, "alone.jsonl"), formatResultLine(exampleResult(() => undefined)));
  const alone = await bench("merge", "alone.jsonl", "--junit", "alone.xml");
  assert.equal(alone.code, 2, alone.stderr);
  assert.match(read("alone.xml"), /<failure message="merging needs at least two Results"/);
});

test("compare writes a JUnit file of its findings", async () => {
  const ofCost = (cpuUsPerMessage: number) =>
    [1, 2, 3]
      .map((day) =>
        formatResultLine(
          exampleResult((result) => {
            result.window.startedAt = `2026-11-0${day}T12:00:00.000Z`;
            Object.assign(result.server ?? {}, { cpuUsPerMessage: cpuUsPerMessage + day / 1000 });
          }),
        ),
      )
      .join("");
  writeFileSync(join(folder, "before.jsonl"), ofCost(4));
  writeFileSync(join(folder, "after.jsonl"), ofCost(5));
  const files = ["after.jsonl", "--against", "before.jsonl"];
  const { code } = await bench("compare", ...files, "--fail-on", "higher", "--junit", "compare.xml");
  assert.equal(code, 1);
  assert.match(
    read("compare.xml"),
    /server CPU per message is not higher[\s\S]*<failure message="B higher by 25 %/,
  );
});

/** A folder of Results, one a day, beside a file of another kind. */
function historyOf(name: string, costsUs: readonly number[]): string {
  mkdirSync(join(folder, name));
  for (const [day, cost] of costsUs.entries()) {
    writeResult(
      join(folder, name, `${day}.json`),
      exampleResult((result) => {
        result.window.startedAt = new Date(Date.UTC(2026, 9, 1 + day)).toISOString();
        Object.assign(result.server ?? {}, { cpuUsPerMessage: cost + (day % 3) / 100 });
      }),
    );
  }
  writeFileSync(join(folder, name, "other.json"), '{"kind":"comparison","version":2}');
  return name;
}

test("gate fails on a recent change for the worse, and only then", async () => {
  const worse = historyOf("worse", [...Array.from({ length: 12 }, () => 4), 4.5, 4.5, 4.5, 4.5]);
  const { code, stdout } = await bench("gate", "--history", `${worse}/*.json`, "--junit", "gate.xml");
  assert.equal(code, 1);
  assert.match(stdout, /regression: server CPU per message is higher by 12 % since 2026-10-13/);
  assert.match(read("gate.xml"), /failures="1"/);
  assert.equal((await bench("gate", "--history", worse, "--recent", "3")).code, 0);
  const level = historyOf(
    "level",
    Array.from({ length: 12 }, () => 4),
  );
  const good = await bench("gate", "--history", level, "--json");
  assert.equal(good.code, 0);
  assert.match(good.stderr, /^not a part of the history: 1 of 13 files \(comparison\)$/m);
  assert.equal(historySchema.parse(JSON.parse(good.stdout)).tracks[0]?.figures[0]?.finding, "steady");
});

test("gate refuses what it cannot read, with every problem", async () => {
  const { code, stderr } = await bench(
    "gate",
    "--history",
    "nowhere/*.json",
    "--margin",
    "2",
    "--figure",
    "p98",
  );
  assert.equal(code, 2);
  assert.match(stderr, /--figure: must be one of[\s\S]*--margin/);
  const none = await bench("gate", "--history", "nowhere/*.json");
  assert.equal(none.code, 2);
  assert.match(none.stderr, /^error: --history: nowhere\/\*\.json matches no file$/m);
  mkdirSync(join(folder, "reports"));
  writeFileSync(join(folder, "reports", "a.json"), '{"kind":"uws-echo-bench/storm","version":1}');
  const reports = await bench("gate", "--history", "reports");
  assert.equal(reports.code, 2);
  assert.match(reports.stderr, /none of 1 files holds a Result \(they hold: storm\)/);
});
