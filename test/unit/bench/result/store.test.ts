import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Result, ServerFigures } from "../../../../bench/result/schema.ts";
import {
  formatResult,
  parseResult,
  problemOfResult,
  readResult,
  StoreError,
  writeOnce,
  writeResult,
} from "../../../../bench/result/store.ts";
import { judge } from "../../../../bench/result/verdict.ts";
import { exampleResult } from "../../../support/result.ts";

const folder = mkdtempSync(join(tmpdir(), "uws-echo-store-"));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function fileWith(text: string): string {
  files += 1;
  const path = join(folder, `${files}.json`);
  writeFileSync(path, text);
  return path;
}

function assertRefused(text: string, message: RegExp): void {
  const path = fileWith(text);
  assert.throws(
    () => readResult(path),
    (error) => {
      assert.ok(error instanceof StoreError);
      assert.match(error.message, message);
      assert.ok(error.message.includes(path), "the message names the file");
      return true;
    },
  );
}

test("reads back what it wrote, from a new folder", () => {
  const path = join(folder, "new", "folder", "result.json");
  const result = exampleResult();
  writeResult(path, result);
  assert.deepEqual(readResult(path), result);
  assert.deepEqual(readdirSync(join(folder, "new", "folder")), ["result.json"], "no draft is left");
});

test("a file is never overwritten", () => {
  const path = fileWith("precious");
  assert.throws(() => writeOnce(path, "other"), /already exists/);
  assert.equal(readFileSync(path, "utf8"), "precious");
});

test("an unwritable place is an error that names it", () => {
  assert.throws(() => writeOnce(join(fileWith(""), "result.json"), "text"), /cannot write .*result\.json/);
});

test("a Result truncated anywhere is refused", () => {
  const text = formatResult(exampleResult());
  for (const length of [1, 20, 500, text.length - 3]) {
    assertRefused(text.slice(0, length), /truncated/);
  }
  assertRefused("", /is empty/);
});

test("a missing file is an error that names it", () => {
  assert.throws(() => readResult(join(folder, "nowhere.json")), /nowhere\.json does not exist/);
  assert.throws(() => readResult(folder), /cannot read/);
});

test("a file that is not JSON, or that another tool wrote, is refused as such", () => {
  assertRefused("latency 5 ms", /is not valid JSON/);
  assertRefused('{"a": tru}', /is not valid JSON/);
  assertRefused("[]", /is not a file of kind/);
  assertRefused("7", /holds no JSON object/);
  assertRefused('{"requests": 5}', /another tool/);
  assertRefused('{"kind": "other/thing"}', /but of "other\/thing"/);
});

test("a file of another version says which and how old", () => {
  const result = exampleResult();
  assertRefused(JSON.stringify({ ...result, version: 0 }), /version 0 .* an older/);
  assertRefused(JSON.stringify({ ...result, version: 99 }), /version 99 .* a newer/);
});

/** Without what came later. */
function asVersion1(result: Result): unknown {
  const {
    failures: _,
    parts: _parts,
    generator: _g,
    connects: _c,
    wire: _w,
    machine: _m,
    clock: _k,
    intervals: _i,
    steadiness: _s,
    id: _id,
    command: _cl,
    firstErrors: _fe,
    spans: _sp,
    ...rest
  } = result;
  const { due: _d, unsent: _u, ...messages } = result.messages;
  const { waitedPercent: _cw, ...client } = result.client;
  const { unsent: _h, ...histograms } = result.histograms;
  const server: Partial<ServerFigures> = { ...result.server };
  delete server.busiestThreadPercent;
  delete server.waitedPercent;
  delete server.receivedMessages;
  delete server.replicas;
  const { fill: _f, part: _p, payloadSha256: _ps, seed: _se, ...scenario } = result.scenario;
  const thresholds = result.thresholds.map(({ unit: _t, ...threshold }) => threshold);
  const series = result.series.map(({ lagP99Us: _l, ...second }) => second);
  return { ...rest, version: 1, scenario, messages, client, server, histograms, series, thresholds };
}

test("a Result of version 1 is read with the failures and units that it did not keep", () => {
  const current = judge(
    exampleResult((result) => {
      result.messages.lost = 2;
      result.thresholds = [{ expression: "server.rss<1MiB", actual: 6e7, unit: "bytes", passed: false }];
    }),
  );
  assert.equal(current.failures.length, 2);
  const old = parseResult("old", JSON.stringify(asVersion1(current)));
  assert.equal(old.id, parseResult("again", JSON.stringify(asVersion1(current), null, 2)).id);
  assert.deepEqual(old, {
    ...current,
    id: old.id,
    command: null,
    client: { ...current.client, waitedPercent: null },
    server: {
      ...current.server,
      busiestThreadPercent: null,
      waitedPercent: null,
      receivedMessages: null,
      replicas: 1,
    },
    generator: null,
    connects: null,
    wire: null,
    scenario: { ...current.scenario, fill: null, payloadSha256: null, seed: null },
    machine: null,
    intervals: null,
    steadiness: { verdict: "too-short", changedAtSeconds: null, figure: null, factor: null },
  });
});

test("writes a Result that does not match its schema, and reports that", () => {
  const broken = exampleResult((result) => {
    result.client.cpuPercent = -14.9;
  });
  assert.match(problemOfResult(broken) ?? "", /client\.cpuPercent/);
  assert.equal(JSON.parse(formatResult(broken)).client.cpuPercent, -14.9);
  assert.equal(problemOfResult(exampleResult()), undefined);
});

test("every wrong field is named at once", () => {
  const { loop: _, ...rest } = exampleResult((result) => (result.summary.messagesPerSecond = -1));
  const text = JSON.stringify({ ...rest, extra: 1 });
  assertRefused(text, /messagesPerSecond/);
  assertRefused(text, /loop/);
  assertRefused(text, /extra/);
});
