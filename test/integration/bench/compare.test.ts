import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { readComparison } from "../../../bench/result/store.ts";

const folder = mkdtempSync(join(tmpdir(), "uws-echo-compare-"));
after(() => rmSync(folder, { recursive: true }));

async function compare(...args: string[]) {
  const child = spawn(process.execPath, ["dist/bench/cli.js", "compare", ...args]);
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  return { exitCode, stdout, stderr };
}

const uws = "node bench/peers/uws.js {port}";
const ws = "node bench/peers/ws.js {port}";
const short = ["--rounds", "1", "--duration", "200ms", "--warmup", "0s", "--connections", "4"];

test("two commands are started, measured in ABBA order, and written as one Comparison", async () => {
  const out = join(folder, "comparison.json");
  const { exitCode, stdout, stderr } = await compare(
    uws,
    ws,
    ...short,
    "--name-b",
    "peer",
    "--json",
    "--out",
    out,
  );
  assert.equal(exitCode, 0, stderr);
  const comparison = readComparison(out);
  assert.deepEqual(JSON.parse(stdout), comparison);
  assert.equal(readFileSync(out, "utf8"), stdout);
  assert.deepEqual(
    comparison.samples.map(({ arm, process }) => `${arm}.${process}`),
    ["0.1", "1.1", "1.2", "0.2"],
  );
  assert.deepEqual(comparison.arms, [
    { name: "A", target: uws },
    { name: "peer", target: ws },
  ]);
  assert.ok((comparison.figures.serverCpuPerMessage.ratio ?? 0) > 1);
  assert.equal(comparison.primary, "serverCpuPerMessage");
  assert.match(comparison.warnings.join(), /Only 1 round: /);
  assert.match(stderr, /round 1\/1 {2}peer: .* messages\/s/);
});

test("a command that does not start is an error with its last output, and exit code 3", async () => {
  const { exitCode, stderr } = await compare(
    "node -e 'console.error(`no luck`); process.exit(7)' {port}",
    ws,
    ...short,
  );
  assert.equal(exitCode, 3);
  assert.match(stderr, /ended at once \(exit code 7\); it said: no luck/);
});

test("every wrong option is named at once, with exit code 2", async () => {
  const wrong = ["--rounds", "0", "--until", "5", "--path", "echo", "--depth", "0", "--max-rounds", "3"];
  const { exitCode, stderr } = await compare("node server.js", ws, ...wrong);
  assert.equal(exitCode, 2);
  for (const problem of [
    /neither a ws:\/\/ URL nor a command/,
    /--rounds: /,
    /--until: "5" is not a share/,
    /--path: /,
    /--max-rounds belongs to --until/,
    /--depth: /,
  ]) {
    assert.match(stderr, problem);
  }
});

test("a file that cannot be written is an error before anything is started", async () => {
  const { exitCode, stderr, stdout } = await compare(ws, ws, "--out", "package.json/comparison.json");
  assert.deepEqual([exitCode, stdout], [2, ""]);
  assert.match(stderr, /--out: cannot write package\.json\/comparison\.json/);
});
