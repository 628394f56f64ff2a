// Several generators of one run, each in its own process as in a cluster: their Results are merged into one.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { decodeFromCompressedBase64, JsHistogram } from "hdr-histogram-js";
import { type EncodedHistogram, type Result, resultSchema } from "../../../bench/result/schema.ts";
import { spawnServer } from "../../support/echo-server.ts";
import { harnessPath } from "../../support/harness.ts";

const run = promisify(execFile);
const generatorCount = 4;
/** Enough to start four processes on a busy machine. */
const leadSeconds = 12;
const warmupMs = 200;

/** Counts by bucket, decoded independently of the harness. */
function bucketsOf({ data, unitNs }: EncodedHistogram): Map<number, number> {
  assert.equal(unitNs, 1);
  const histogram = decodeFromCompressedBase64(data, 64, false);
  assert.ok(histogram instanceof JsHistogram);
  const buckets = new Map<number, number>();
  for (let valueNs = 0; valueNs <= histogram.maxValue; ) {
    const count = histogram.getCountAtIndex(histogram.countsArrayIndex(valueNs));
    if (count > 0) {
      buckets.set(histogram.lowestEquivalentValue(valueNs), count);
    }
    valueNs = histogram.nextNonEquivalentValue(valueNs);
  }
  return buckets;
}

function sumOf(parts: readonly Map<number, number>[]): Map<number, number> {
  const sum = new Map<number, number>();
  for (const [bucket, count] of parts.flatMap((part) => [...part])) {
    sum.set(bucket, (sum.get(bucket) ?? 0) + count);
  }
  return sum;
}

const sorted = (buckets: Map<number, number>): [number, number][] => [...buckets].sort(([a], [b]) => a - b);
const total = (buckets: Map<number, number>): number =>
  [...buckets.values()].reduce((sum, count) => sum + count, 0);

test("four generators at once, merged, are one histogram of all their samples, bucket for bucket", async (t) => {
  const { authority } = await spawnServer(t);
  const startAt = Math.ceil(Date.now() / 1000) + leadSeconds;
  const load = ["--connections", "4", "--rate", "500", "--duration", "2s", "--warmup", `${warmupMs}ms`];
  const outputs = await Promise.all(
    Array.from({ length: generatorCount }, () =>
      run(process.execPath, [
        ...[harnessPath, "run", `ws://${authority}/echo`, "--start-at", String(startAt), "--json"],
        ...load,
      ]),
    ),
  );
  const log = outputs
    .map(({ stdout }, pod) => `[pod/load-${pod}] ${stdout}`)
    .join("a line of something else\n");
  const parts = outputs.map(({ stdout }) => resultSchema.parse(JSON.parse(stdout)));
  for (const { window } of parts) {
    assert.ok(Math.abs(Date.parse(window.startedAt) - startAt * 1000 - warmupMs) < 200, "one window for all");
  }

  const merging = run(process.execPath, [
    harnessPath,
    "merge",
    "-",
    "--expect",
    String(generatorCount),
    "--json",
  ]);
  merging.child.stdin?.end(log);
  const merged: Result = resultSchema.parse(JSON.parse((await merging).stdout));

  for (const name of ["latency", "service"] as const) {
    const expected = sumOf(parts.map(({ histograms }) => bucketsOf(histograms[name])));
    const found = bucketsOf(merged.histograms[name]);
    assert.ok(expected.size > 20, "the samples fall into many buckets");
    assert.deepEqual(sorted(found), sorted(expected), name);
    assert.equal(total(found), merged.messages.received);
  }
  const received = parts.reduce((sum, { messages }) => sum + messages.received, 0);
  assert.deepEqual(merged.messages, {
    due: received,
    unsent: 0,
    sent: received,
    received,
    lost: 0,
    corrupt: 0,
  });
  assert.ok(received > 1000, "enough for the comparison to mean something");
  assert.deepEqual(merged.connections, { requested: 16, opened: 16, failed: 0, closedEarly: 0 });
  assert.equal(merged.scenario.generators, generatorCount);
  assert.equal(merged.scenario.ratePerSecond, 2000);
});

/** The exit code and output of a `run` with this --part in a pod with this index. */
async function runPart(url: string, part: string, index?: string) {
  const { JOB_COMPLETION_INDEX: _, ...env } = process.env;
  const args = [
    harnessPath,
    "run",
    url,
    "--part",
    part,
    "--json",
    "-d",
    "200ms",
    "-w",
    "0",
    "-c",
    "1",
    "-r",
    "50",
  ];
  const options = { env: index === undefined ? env : { ...env, JOB_COMPLETION_INDEX: index } };
  try {
    return { code: 0, ...(await run(process.execPath, args, options)) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

test("reads the part of a generator from --part or from Kubernetes' index, and refuses anything else", async (t) => {
  const { authority } = await spawnServer(t);
  const url = `ws://${authority}/echo`;
  const partOf = ({ stdout }: { readonly stdout: string }) =>
    resultSchema.parse(JSON.parse(stdout)).scenario.part;
  assert.deepEqual(partOf(await runPart(url, "2/4")), { number: 2, of: 4 });
  assert.deepEqual(partOf(await runPart(url, "auto/3", "2")), { number: 3, of: 3 });
  for (const [part, index, problem] of [
    ["0/4", undefined, /--part: "0\/4" is not a part: write 1\/4 to 4\/4, or auto\/4/],
    ["5/4", undefined, /--part: "5\/4" is not a part/],
    ["half", undefined, /--part: "half" is not a part/],
    ["auto/3", "3", /--part: "auto\/3" is not a part/],
    ["auto/3", undefined, /--part: auto needs JOB_COMPLETION_INDEX/],
  ] as const) {
    const { code, stderr } = await runPart(url, part, index);
    assert.equal(code, 2, part);
    assert.match(stderr, problem);
  }
});
