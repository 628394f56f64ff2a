import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Command, CommanderError } from "commander";
import { addMergeCommand } from "../../../bench/commands/merge.ts";
import { addReportCommand } from "../../../bench/commands/report.ts";
import { formatResultLine, readResult, writeResult } from "../../../bench/result/store.ts";
import { exampleResult } from "../../support/result.ts";

const folder = mkdtempSync(join(tmpdir(), "uws-echo-commands-"));
after(() => rmSync(folder, { recursive: true }));

const one = join(folder, "one.json");
const two = join(folder, "two.json");
writeResult(one, exampleResult());
writeResult(
  two,
  exampleResult((result) => {
    result.label = "second";
  }),
);

/** Runs the commands as a program would; `errors` is what went to the standard error. */
async function run(...args: string[]): Promise<{ exitCode: number; errors: string }> {
  let errors = "";
  const program = new Command().exitOverride().configureOutput({
    writeErr: (text) => {
      errors += text;
    },
  });
  addReportCommand(program);
  addMergeCommand(program);
  for (const command of program.commands) {
    command.copyInheritedSettings(program);
  }
  try {
    await program.parseAsync(args, { from: "user" });
    return { exitCode: 0, errors };
  } catch (error) {
    assert.ok(error instanceof CommanderError, String(error));
    return { exitCode: error.exitCode, errors };
  }
}

async function report(out: string, ...args: string[]): Promise<string> {
  const path = join(folder, out);
  assert.deepEqual(await run("report", ...args, "--out", path), { exitCode: 0, errors: "" });
  return readFileSync(path, "utf8");
}

test("the report's form follows the name of its file, or --format", async () => {
  assert.match(await report("a.txt", one), /^rate +100,000 messages\/s/m);
  assert.match(await report("a.md", one, two), /^\| Target \| Load \|/);
  assert.match(await report("a.csv", one, two), /^kind,version,/);
  assert.match(await report("a.hgrm", one), /^ +Value +Percentile/);
  assert.match(await report("a.HTML", one, two), /^<!doctype html>/);
  assert.match(await report("a.unknown", one), /^rate +100,000/m);
  assert.match(await report("a.text", "--format", "markdown", one), /^\| Target/);
});

test("an .hgrm of several files is refused with exit code 2, as is a file that is not a Result", async () => {
  const several = await run("report", "--format", "hgrm", one, two);
  assert.equal(several.exitCode, 2);
  assert.match(several.errors, /give one file/);
  const truncated = join(folder, "truncated.json");
  writeFileSync(truncated, readFileSync(one, "utf8").slice(0, 300));
  const broken = await run("report", one, truncated);
  assert.equal(broken.exitCode, 2);
  assert.match(broken.errors, /truncated\.json is truncated/);
  const unwritable = await run("report", one, "--out", join(one, "below.txt"));
  assert.equal(unwritable.exitCode, 2);
  assert.match(unwritable.errors, /cannot write/);
});

test("merging writes one Result that is never overwritten", async (t) => {
  t.mock.method(process.stdout, "write", () => true);
  const merged = join(folder, "merged.json");
  assert.deepEqual(await run("merge", one, two, "--out", merged), { exitCode: 0, errors: "" });
  const result = readResult(merged);
  assert.equal(result.summary.messagesPerSecond, 200_000);
  assert.equal(result.scenario.generators, 2);
  const again = await run("merge", one, two, "--out", merged);
  assert.equal(again.exitCode, 2);
  assert.match(again.errors, /already exists/);
});

test("checks a merged Result against the thresholds of its parts", async (t) => {
  t.mock.method(process.stdout, "write", () => true);
  t.after(() => {
    process.exitCode = undefined;
  });
  const held = join(folder, "held.json");
  writeResult(
    held,
    exampleResult((result) => {
      result.thresholds = [{ expression: "rate<150000", actual: 100_000, unit: null, passed: true }];
    }),
  );
  const merged = join(folder, "held-merged.json");
  await run("merge", held, one, "--out", merged);
  assert.equal(process.exitCode, 1);
  assert.deepEqual(readResult(merged).thresholds, [
    { expression: "rate<150000", actual: 200_000, unit: null, passed: false },
  ]);
});

test("does not merge Results of different runs", async () => {
  const { exitCode, errors } = await run("merge", one);
  assert.equal(exitCode, 2);
  assert.match(errors, /at least two Results/);
});

test("reports every Result that cannot be merged at once, and the valid ones", async () => {
  const cut = join(folder, "cut.log");
  writeFileSync(cut, `Result: x\n${formatResultLine(exampleResult()).slice(0, 900)}\n`);
  const { exitCode, errors } = await run("merge", one, one, cut, join(folder, "none.json"), "--expect", "4");
  assert.equal(exitCode, 2);
  assert.match(errors, /none\.json does not exist/);
  assert.match(errors, /one\.json is the same Result as .*one\.json: it would count twice/);
  assert.match(errors, /line 2 of .*cut\.log is truncated: .* after 900 characters/);
  assert.match(errors, /4 generators were expected, but the Results come from 1/);
  assert.match(errors, /nothing was merged; 1 Result is good/);
  assert.match((await run("merge", one, two, "--expect", "none")).errors, /--expect: "none" is not a number/);
});
