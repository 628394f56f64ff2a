import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Command } from "commander";
import { z } from "zod";
import { UsageError } from "../../../../bench/commands/option-schemas.ts";
import {
  addSessionOptions,
  parseReconnect,
  readSession,
} from "../../../../bench/commands/session-options.ts";
import { count, metricsOf } from "../../../../bench/result/threshold.ts";

const metrics = metricsOf({ lost: count((measured: { lost: number }) => measured.lost) });

/** The parsed options of a command with an additional option, `--size`. */
function read(...args: string[]) {
  const command = new Command().option("--size <number>", "a number", "1");
  addSessionOptions(command, { metrics, example: "lost==0", reconnect: "never", expectClose: "none" });
  command.parse(args, { from: "user" });
  return readSession("ws://127.0.0.1:9998/echo", command.opts(), {
    shape: { size: z.string().transform(Number) },
    metrics,
    connections: ({ size }) => size ?? 0,
  });
}

test("the shared options are read with the command's own", () => {
  const { settings, values } = read(
    ...["--size", "7", "--source", "127.0.0.2,127.0.0.3", "--seed", "5", "--expect-close", "1001,1012"],
    ...["--threshold", "lost==0", "--reconnect", "backoff:1s:2s"],
  );
  assert.equal(values.size, 7);
  assert.deepEqual(settings.target.sources, ["127.0.0.2", "127.0.0.3"]);
  assert.deepEqual(settings.expectedCloses, [1001, 1012]);
  assert.equal(settings.resources.seed, 5);
  assert.equal(settings.thresholds[0]?.metric, "lost");
  assert.equal(settings.reconnect.kind, "backoff");
  assert.equal(read().settings.target.sources, undefined);
});

test("a generator has its share of totals, and less than one for each is refused", () => {
  const { share, resources } = read("--part", "2/3", "--totals").settings;
  assert.deepEqual(resources.part, { number: 2, of: 3 });
  assert.equal(share.count("--size", 11), 4);
  assert.equal(share.rate(90), 30);
  assert.throws(() => share.count("--size", 2), /--totals: 3 generators cannot share 2 \(--size\)/);
  assert.equal(read("--part", "2/3").settings.share.count("--size", 11), 11);
  assert.throws(() => read("--totals"), /--totals needs --part/);
});

test("limits of the machine apply to the share of a generator, not to the total", () => {
  // More than any machine's ports and descriptors, and its share fewer than the least.
  const problemsOf = (...args: string[]): string => {
    try {
      read("--size", "900000000", ...args);
      return "";
    } catch (error) {
      assert.ok(error instanceof UsageError);
      return error.problems.join();
    }
  };
  assert.match(problemsOf(), /900000000 connections need more than/);
  assert.doesNotMatch(problemsOf("--part", "1/9000000", "--totals"), /connections need more than/);
});

test("a start is a time, or a file that will hold one", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-start-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "start");
  const { startAt } = read("--start-at", `@${path}`).settings;
  assert.ok(typeof startAt === "function");
  const waiting = startAt(AbortSignal.timeout(20_000));
  writeFileSync(path, "\n");
  const seconds = Math.ceil(Date.now() / 1000) + 60;
  writeFileSync(`${path}.new`, `${seconds}\n`);
  renameSync(`${path}.new`, path);
  assert.equal((await waiting).getTime(), 1000 * seconds);

  writeFileSync(path, "soon");
  await assert.rejects(
    startAt(AbortSignal.timeout(20_000)),
    /--start-at: .*start: "soon" is not a point in time/,
  );
  writeFileSync(path, "2020-01-01T00:00:00Z");
  await assert.rejects(startAt(AbortSignal.timeout(20_000)), /has passed already/);
  writeFileSync(path, "");
  await assert.rejects(startAt(AbortSignal.timeout(50)), { name: "AbortError" });
  await assert.rejects(() => {
    const { startAt: ofFolder } = read("--start-at", `@${folder}`).settings;
    assert.ok(typeof ofFolder === "function");
    return ofFolder(AbortSignal.timeout(20_000));
  }, /cannot be read \(EISDIR\)/);
  assert.throws(() => read("--start-at", "@"), /@ needs the name of a file/);
});

test("reports all problems at once, limits of the machine among them", () => {
  assert.throws(
    () =>
      read("--size", "1000000000", "--expect-close", "99", "--threshold", "p99<1s", "--reconnect", "maybe"),
    (error: unknown) => {
      assert.ok(error instanceof UsageError);
      const text = error.problems.join("\n");
      assert.match(text, /not a list of close codes/);
      assert.match(text, /write a metric \(lost\)/);
      assert.match(text, /not a way to reconnect/);
      assert.match(text, /file descriptors allowed: raise ulimit -n/);
      return true;
    },
  );
});

test("a way to reconnect is read with its times", () => {
  assert.deepEqual(parseReconnect("never"), { kind: "never" });
  assert.deepEqual(parseReconnect("full-jitter:1s:30s"), {
    kind: "backoff",
    baseMs: 1000,
    maxMs: 30_000,
    jitter: "full",
  });
  assert.deepEqual(parseReconnect("backoff:50ms:2s"), {
    kind: "backoff",
    baseMs: 50,
    maxMs: 2000,
    jitter: "none",
  });
});

test("refuses an invalid way to reconnect, and lists the valid ones", () => {
  for (const text of ["", "always", "full-jitter", "full-jitter:1s", "full-jitter:1s:2s:3s"]) {
    assert.throws(() => parseReconnect(text), /write never, full-jitter:1s:30s or backoff:1s:30s/, text);
  }
  assert.throws(() => parseReconnect("backoff:2s:1s"), /second one at least that/);
  assert.throws(() => parseReconnect("backoff:0:1s"), /must be above 0/);
  assert.throws(() => parseReconnect("backoff:1:2s"), /is not a duration/);
});
