import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { concludeGoal } from "../../../bench/result/bounds.ts";
import { type Search, searchSchema } from "../../../bench/result/search.ts";
import { startTarget } from "../../../bench/target/started-target.ts";
import { startHarness } from "../../support/harness.ts";

const folder = mkdtempSync(join(tmpdir(), "uws-echo-search-"));
after(() => rmSync(folder, { recursive: true }));

const burning = "node bench/peers/service-time.js {port} 100";
const short = ["--duration", "200ms", "--warmup", "50ms", "--duration-sum", "600ms"];
/** Without the trials that come after the search. */
const only = ["--confirm", "0"];
const deadlineMs = 90_000;

/** Runs a search that finds something, and gives it together with the exit code. */
async function searched(...args: string[]): Promise<Search & { exitCode: number | null; stderr: string }> {
  const { stdout, stderr, exitCode } = await startHarness(["search", ...args, ...short, "--json"]).ended;
  assert.notEqual(stdout, "", stderr);
  const found = searchSchema.parse(JSON.parse(stdout));
  // Whatever this machine was busy with: the goals follow from the trials.
  assert.deepEqual(
    found.goals,
    found.goals.map(({ slo }, index) => concludeGoal(slo, index, found.trials, found.rule, found.stop)),
  );
  return { ...found, exitCode, stderr };
}

test("search finds exactly how many connections a target takes, and report shows it in every format", async () => {
  const limited = "node dist/src/cli.js --port {port} --admin-port off --max-connections 10";
  const out = join(folder, "connections.json");
  const args = [
    "--over",
    "connections",
    "--connections",
    "30",
    "--slo",
    "p99<30s",
    "--confirm",
    "200ms",
    "--out",
    out,
  ];
  const { goals, exitCode, confirm, stderr } = await searched(limited, ...args);
  assert.deepEqual(
    goals.map(({ verdict, lower, upper, limitedBy }) => [verdict, lower, upper, limitedBy]),
    [["found", 10, 11, "connections"]],
  );
  assert.deepEqual([exitCode, confirm.map(({ trial }) => trial.load)], [0, [10]], stderr);
  assert.match(stderr, /^trials of 200 ms after 50 ms; at most 5 min 0 s in all/);
  for (const [format, said] of [
    [
      "text",
      /^holds 10 connections with p99 < 30 s; failed at 11 connections \(1 of 11 connections failed\)$/m,
    ],
    ["markdown", /^\*\*holds 10 connections with p99 < 30 s; failed at 11 connections\*\*$/m],
    ["csv", /^.*,connections,p99<30s,found,10,11,connections,confirm,/m],
    ["html", /holds 10 connections with p99 &lt; 30 s; failed at 11 connections/],
  ] as const) {
    const report = await startHarness(["report", out, "--format", format]).ended;
    assert.equal(report.exitCode, 0, report.stderr);
    assert.match(report.stdout, said);
    assert.doesNotMatch(report.stdout.replace(/<script[\s\S]*?<\/script>/g, ""), /undefined|NaN/);
  }
});

test("search starts over the rate from a closed loop, and judges several objectives by the same trials", async () => {
  const slos = [...only, "--slo", "p99<10s", "--slo", "p99<9s,lost==0"];
  const { goals, saturationPerSecond, trials, rule, scenario, exitCode } = await searched(
    burning,
    ...slos,
    "--max",
    "500",
  );
  assert.deepEqual(
    goals.map(({ slo }) => slo),
    ["p99<10s", "p99<9s,lost==0"],
  );
  assert.ok((saturationPerSecond ?? 0) > 0);
  assert.deepEqual([rule.max, rule.isWhole, scenario.arrivals], [500, false, "even"]);
  assert.ok(trials.every(({ outcomes, load }) => outcomes.length === 2 && load <= 500 && load >= rule.min));
  assert.equal(
    exitCode,
    goals.every(({ limitedBy, verdict }) => verdict === "found" || limitedBy === "max") ? 0 : 1,
  );
});

test("an objective that the smallest load misses is exit code 1, and one that the largest load meets is 0", async () => {
  const impossible = await searched(burning, "--over", "depth", "--slo", "p99<1us", ...only);
  assert.deepEqual(
    [impossible.goals[0]?.verdict, impossible.goals[0]?.lower, impossible.exitCode],
    ["below-min", null, 1],
    impossible.stderr,
  );
  const most = ["--over", "depth", "--slo", "p99<10s", "--connections", "2", "--max", "2", ...only];
  const easy = await searched(burning, ...most);
  assert.deepEqual(
    [easy.goals[0]?.verdict, easy.goals[0]?.lower, easy.goals[0]?.limitedBy, easy.exitCode],
    ["at-least", 2, "max", 0],
    easy.stderr,
  );
});

test("each connection sends at its own rate on request", async () => {
  const args = [
    ...only,
    "--over",
    "connections",
    "--rate-per-connection",
    "5",
    "--connections",
    "4",
    "--max",
    "8",
  ];
  const { scenario, ratePerConnection, trials, goals } = await searched(burning, ...args, "--slo", "p99<30s");
  assert.deepEqual([scenario.ratePerSecond, ratePerConnection, scenario.depth], [20, 5, null]);
  assert.ok(trials.every(({ load }) => load <= 8));
  assert.equal(goals[0]?.slo, "p99<30s");
});

test("a target that ends also ends the search, which reports what it found and does not call the target slow", async (t) => {
  const target = await startTarget(burning, { path: "/", timeoutMs: deadlineMs });
  t.after(() => target.stop());
  const { child, ended } = startHarness([
    "search",
    target.url,
    "--rate",
    "200",
    "--slo",
    "p99<10s",
    ...short,
    "--json",
  ]);
  child.stderr.once("data", () => {
    child.stderr.once("data", () => void target.stop()); // The first line says how long it takes, the second is a trial.
  });
  const { stdout, exitCode, stderr } = await ended;
  const { stop, goals, trials } = searchSchema.parse(JSON.parse(stdout));
  assert.deepEqual(
    [stop, goals[0]?.verdict, goals[0]?.limitedBy, exitCode],
    ["target-gone", "deadline", "target-gone", 1],
    stderr,
  );
  assert.ok(trials.slice(-3).every(({ outcomes }) => outcomes[0]?.cause === "nothing"));
});

test("Ctrl-C keeps the results so far", async () => {
  const out = join(folder, "interrupted.json");
  const args = ["search", burning, "--rate", "200", "--slo", "p99<10s", "--out", out];
  const { child, ended } = startHarness(args); // Trials of full length, of which the second will be under way.
  let trials = 0;
  child.stderr.on("data", (chunk: Buffer) => {
    trials += chunk.toString().split("/s:").length - 1;
    if (trials === 1) {
      child.kill("SIGINT");
    }
  });
  const { stdout, exitCode, stderr } = await ended;
  assert.equal(exitCode, 1, stderr);
  assert.match(stdout, /^in the first trials p99 < 10 s (held|not) at 200\/s; the search was interrupted$/m);
  assert.equal(searchSchema.parse(JSON.parse(readFileSync(out, "utf8"))).stop, "interrupted");
});

test("wrong options are exit code 2, all of them named, and nothing is started", async () => {
  const problemsOf = async (...args: string[]) => {
    const { exitCode, stderr, stdout } = await startHarness(["search", ...args]).ended;
    assert.deepEqual([exitCode, stdout], [2, ""], stderr);
    return stderr;
  };
  const many = await problemsOf(
    "node x",
    "--slo",
    "rate>5",
    "--width",
    "0",
    "--rate-per-connection",
    "4",
    "--depth",
    "2",
  );
  for (const problem of [
    /--slo: .*rate is no figure of the target/,
    /--width: .*is not a share/,
    /neither a ws:\/\/ URL nor a command/,
    /--rate-per-connection needs --over connections/,
    /--depth: a search over the rate is an open loop/,
  ]) {
    assert.match(many, problem);
  }
  assert.match(
    await problemsOf("ws://127.0.0.1:1/"),
    /--slo: give at least one objective, as in --slo 'p99<5ms'/,
  );
  const range = ["--over", "depth", "--min", "3", "--max", "1.5", "--deadline", "2s"];
  const late = await problemsOf("ws://127.0.0.1:1/", "--slo", "p99<5ms", ...range);
  assert.match(late, /--min: more than --max/);
  assert.match(late, /--min, --max: depth/);
  assert.match(late, /--deadline: must be at least 2\ds, which one trial takes/);
});

test("nothing measured at all is exit code 3", async () => {
  const { exitCode, stderr } = await startHarness([
    "search",
    "ws://127.0.0.1:1/",
    "--slo",
    "p99<5ms",
    ...short,
  ]).ended;
  assert.equal(exitCode, 3, stderr);
  assert.match(stderr, /nothing was measured: no connection could be opened/);
});
