import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readResult } from "../../../bench/result/store.ts";
import { type Sweep, sweepPlanSchema, sweepSchema } from "../../../bench/result/sweep.ts";
import { startHarness } from "../../support/harness.ts";

const parent = mkdtempSync(join(tmpdir(), "uws-echo-sweep-"));
after(() => rmSync(parent, { recursive: true }));

const ws = "node bench/peers/ws.js {port}";
const short = ["--duration", "300ms", "--warmup", "0s"];

function sweepOf(folder: string): Sweep {
  return sweepSchema.parse(JSON.parse(readFileSync(join(folder, "sweep.json"), "utf8")));
}

test("sweep stopped by Ctrl-C continues with the same command, and measures nothing twice", async () => {
  const folder = join(parent, "grid");
  const args = ["sweep", ws, "-c", "1,2", "-p", "1,4", "-s", "64,1KiB", ...short, "--out", folder];
  const { child, ended } = startHarness(args);
  let shown = "";
  child.stderr.on("data", (chunk: Buffer) => {
    const isStopped = / messages\/s, p99 /.test(shown);
    shown += chunk.toString();
    if (!isStopped && / messages\/s, p99 /.test(shown)) {
      child.kill("SIGINT");
    }
  });
  const first = await ended;
  assert.equal(first.exitCode, 1, first.stderr);
  assert.match(
    first.stderr,
    /^8 measurements of 300 ms after 0 ms: about .*; after Ctrl-C, the same command/,
  );
  assert.match(
    first.stdout,
    /NOT ACCEPTABLE: [\s\S]*of 8 measurements were not made: start it again to go on/,
  );
  const partial = sweepOf(folder);
  assert.equal(partial.stop, "interrupted");
  const made = partial.samples.map(({ file }) => file);
  assert.ok(made.length >= 1 && made.length < 8, String(made.length));
  const contents = new Map(made.map((file) => [file, readFileSync(join(folder, file), "utf8")]));

  const second = await startHarness(args).ended;
  assert.equal(second.exitCode, 0, second.stderr);
  assert.match(
    second.stderr,
    new RegExp(`^8 measurements of 300 ms after 0 ms, ${made.length} of them there already`),
  );
  for (const [file, content] of contents) {
    assert.equal(readFileSync(join(folder, file), "utf8"), content, file);
  }
  const { samples, stop, failures, seed } = sweepOf(folder);
  assert.deepEqual([samples.length, stop, failures], [8, "complete", []]);
  assert.equal(seed, partial.seed);
  const plan = sweepPlanSchema.parse(JSON.parse(readFileSync(join(folder, "plan.json"), "utf8")));
  assert.deepEqual(
    samples.map(({ file }) => file),
    plan.entries.map(({ file }) => file),
  );
  for (const { file, connections, depth, payloadBytes, figures } of samples) {
    const { scenario, summary } = readResult(join(folder, file));
    assert.deepEqual(
      [scenario.connections, scenario.depth, scenario.payloadBytes, scenario.seed],
      [connections, depth, [payloadBytes], seed],
    );
    assert.equal(summary.messagesPerSecond, figures.messagesPerSecond);
  }
  for (const [format, said] of [
    ["text", /^ +1 +64 B +1 +[\d,]+/m],
    ["markdown", /^\| connections \| payload \| in flight \| messages\/s \|/m],
    ["csv", /,1,64,4,,1,messagesPerSecond,1\/s,/],
    ["html", /<h2>Rate<\/h2>/],
  ] as const) {
    const report = await startHarness(["report", join(folder, "sweep.json"), "--format", format]).ended;
    assert.equal(report.exitCode, 0, report.stderr);
    assert.match(report.stdout, said);
  }

  const other = await startHarness([...args, "--duration", "310ms", "-c", "1,2,3"]).ended;
  assert.equal(other.exitCode, 2);
  assert.match(other.stderr, /is the plan of another sweep: its grid has 8 measurements, this one 12/);
  assert.match(other.stderr, /durationMs was 300 and is 310/);
});

test("a measurement that fails is named, left for the next start, and makes the exit code 1", async () => {
  const folder = join(parent, "failing");
  const counter = join(parent, "starts");
  writeFileSync(counter, "0");
  const failing = `sh -c 'n=$(($(cat ${counter}) + 1)); echo $n > ${counter}; [ $n = 2 ] && exit 9; exec ${ws}'`;
  const args = [
    "sweep",
    failing,
    "-c",
    "1",
    "-r",
    "100,200,300",
    "--arrivals",
    "poisson",
    ...short,
    "--out",
    folder,
  ];
  const first = await startHarness([...args, "--json"]).ended;
  assert.equal(first.exitCode, 1, first.stderr);
  const { missing, samples, stop } = sweepSchema.parse(JSON.parse(first.stdout));
  assert.deepEqual([samples.length, stop], [2, "complete"]);
  assert.match(missing[0]?.reason ?? "", /ended at once \(exit code 9\)/);
  assert.equal(readdirSync(folder).length, 4); // The plan, two Results, and the Sweep.
  const second = await startHarness(args).ended;
  assert.equal(second.exitCode, 0, second.stderr);
  assert.deepEqual([sweepOf(folder).samples.length, sweepOf(folder).missing], [3, []]);
});

test("wrong options are exit code 2, all of them named, and nothing is started or written", async () => {
  const folder = join(parent, "wrong");
  const problemsOf = async (...args: string[]) => {
    const { exitCode, stderr, stdout } = await startHarness(["sweep", ...args, "--out", folder]).ended;
    assert.deepEqual([exitCode, stdout], [2, ""], stderr);
    return stderr;
  };
  const many = await problemsOf("node x", "-c", "1,1,0", "-p", "1,x", "-s", "64,64B", "--repeat", "0");
  for (const problem of [
    /neither a ws:\/\/ URL nor a command/,
    /--connections: 1 is given twice/,
    /--connections: must be between 1 and 1000000/,
    /--depth: "x" is not a number/,
    /--payload: 64B is given twice/,
    /--repeat: must be between 1 and 1000/,
  ]) {
    assert.match(many, problem);
  }
  assert.match(await problemsOf(ws, "-p", "1,2", "-r", "10,20"), /--depth belongs to the closed loop/);
  const numbers = Array.from({ length: 100 }, (_, index) => index + 1).join(",");
  assert.match(
    await problemsOf(ws, "-c", numbers, "-p", numbers, "--repeat", "2"),
    /20000 measurements are too many/,
  );
  assert.deepEqual(readdirSync(parent).includes("wrong"), false);
  const full = await startHarness(["sweep", ws, "--out", "docs"]).ended;
  assert.equal(full.exitCode, 2);
  assert.match(full.stderr, /--out: docs holds other files and no plan\.json/);
});
