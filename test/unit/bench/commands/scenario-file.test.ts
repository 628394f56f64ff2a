import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { UsageError } from "../../../../bench/commands/option-schemas.ts";
import { readScenarioFile } from "../../../../bench/commands/scenario-file.ts";
import { payloadHashes } from "../../../../bench/measure/session.ts";

const url = "ws://127.0.0.1:9998/echo";

function fileWith(t: TestContext, content: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), "scenario-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "body.txt"), "from a file");
  const path = join(folder, "scenario.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const single = {
  target: { url },
  population: { size: 10 },
  traffic: { kind: "echo", depth: 4 },
  timeline: [{ name: "only", duration: "10s" }],
};

describe("a scenario file", () => {
  test("may describe a single group", (t) => {
    const { target, groups, timeline, guards, resources } = readScenarioFile(fileWith(t, single), undefined);
    assert.equal(target.url, url);
    assert.deepEqual([target.engine, target.timeoutMs, target.deflate], ["raw", 10_000, false]);
    assert.equal(groups.length, 1);
    assert.deepEqual(groups[0]?.population, {
      size: [{ durationMs: 0, from: 10, to: 10 }],
      connectRate: undefined,
      arrivals: "even",
      lifetime: null,
      reconnect: { kind: "never" },
      expectedCloses: [],
    });
    const traffic = groups[0]?.traffic;
    assert.ok(traffic?.kind === "echo");
    assert.deepEqual(traffic.loop, { kind: "closed", depth: 4 });
    assert.deepEqual(
      traffic.messages.payloads.map(({ content, weight }) => [content.length, weight]),
      [[64, 1]],
    );
    assert.deepEqual(timeline, [{ name: "only", durationMs: 10_000, measured: true, abortIf: [] }]);
    assert.deepEqual(guards, { goneAfterMs: 30_000, maxFailures: 1000 });
    assert.deepEqual([resources.threads, resources.part], [1, undefined]);
  });

  test("may give each connection a first message, with lines of a file beside it", (t) => {
    const target = { url, firstMessage: "token {line:body.txt}", firstReplies: 1 };
    const read = readScenarioFile(fileWith(t, { ...single, target }), undefined).target;
    assert.deepEqual(read.firstMessage, { text: "token {line:body.txt}", replies: 1 });
    assert.deepEqual(read.templateLines, { "body.txt": ["from a file"] });
    const wrong = { url, firstReplies: 1001 };
    assert.throws(
      () => readScenarioFile(fileWith(t, { ...single, target: wrong }), undefined),
      /target\.firstReplies: must be between 0 and 1000/,
    );
  });

  test("generates the same payloads from the same seed, and others in each group", (t) => {
    const group = (name: string) => ({ name, population: { size: 1 }, traffic: { kind: "echo", depth: 1 } });
    const { target, timeline } = single;
    const path = fileWith(t, {
      target,
      timeline,
      groups: [group("a"), group("b")],
      resources: { seed: 7 },
    });
    const hashes = (seed?: number) => payloadHashes(readScenarioFile(path, undefined, seed).groups);
    assert.deepEqual(hashes(), hashes(7));
    assert.notEqual(hashes()["a"], hashes()["b"]);
    assert.notEqual(hashes(8)["a"], hashes(7)["a"]);
    assert.equal(readScenarioFile(path, undefined, 8).resources.seed, 8);
  });

  test("may send HTTP requests, to a path of the target or to a URL", (t) => {
    const read = (traffic: object, population: object = { size: 2 }) =>
      readScenarioFile(
        fileWith(t, { ...single, population, traffic: { kind: "http", ...traffic } }),
        undefined,
      ).groups[0]?.traffic;
    assert.deepEqual(read({ url: "/inspect", rate: 5 }), {
      kind: "http",
      url: "http://127.0.0.1:9998/inspect",
      method: "GET",
      headers: {},
      body: undefined,
      pipelining: 1,
      requestsPerSecond: 5,
      verify: "none",
    });
    const posted = read({ url: "https://localhost/x", body: { text: "hi" } });
    assert.ok(posted?.kind === "http");
    assert.deepEqual(
      [posted.url, posted.method, posted.body, posted.verify],
      ["https://localhost/x", "POST", "hi", "full"],
    );
    assert.throws(() => read({ url: "ftp://localhost/" }), /"ftp:\/\/localhost\/" is not an HTTP URL/);
    assert.throws(() => read({ url: "/x", body: { text: "\u00fc" } }), /not ASCII cannot be verified/);
    for (const population of [{ size: "1s:0..2" }, { size: 0 }, { size: 2, lifetime: "1s" }]) {
      assert.throws(() => read({ url: "/x" }, population), /the population of http is a size, constant/);
    }
  });

  test("may describe everything", (t) => {
    const path = fileWith(t, {
      target: {
        url: `${url}?c={connection}`,
        headers: { Authorization: "Bearer {uuid}" },
        subprotocols: ["a"],
        sources: ["127.0.0.2", "127.0.0.3"],
        timeout: "3s",
      },
      groups: [
        {
          name: "users",
          population: {
            size: "10s:0..100,1m:100",
            connectRate: "50/s",
            arrivals: "poisson",
            lifetime: { exponential: "30s" },
            reconnect: "full-jitter:1s:30s",
            expectedCloses: [1001],
          },
          traffic: {
            kind: "echo",
            rate: "10s:0..1k,1m:1k",
            match: "stamp",
            type: "text",
            payload: [{ size: "1KiB", weight: 3 }, { text: "hi" }, { file: "body.txt" }],
          },
        },
        { name: "slow", population: { size: 2 }, traffic: { kind: "read", bytesPerSecond: 0, rate: 10 } },
        {
          name: "bots",
          population: { size: 1 },
          traffic: {
            kind: "script",
            steps: [
              { send: "login" },
              { expect: "ok" },
              { repeat: 2, steps: [{ think: { exponential: "1s" } }, { send: "x" }, { expect: true }] },
            ],
          },
        },
        { name: "room", population: { size: 9 }, traffic: { kind: "fanout", publishers: 2, rate: 5 } },
        { name: "ears", population: { size: 9 }, traffic: { kind: "listen", onOpen: ["subscribe"] } },
        { name: "pings", population: { size: 9 }, traffic: { kind: "ping", interval: "30s" } },
      ],
      timeline: [
        { name: "ramp", duration: "10s", measured: false },
        { name: "hold", duration: "1m", abortIf: ["p99>50ms:5s"] },
      ],
      guards: { goneAfter: "1m", maxFailures: 7 },
      resources: { threads: 2, seed: 7 },
    });
    const { target, groups, timeline, guards, resources } = readScenarioFile(path, undefined);
    assert.deepEqual([target.timeoutMs, target.sources], [3000, ["127.0.0.2", "127.0.0.3"]]);
    assert.ok(target.templateLines !== undefined, "placeholders are filled in");
    const [users, slow, bots, room] = groups;
    assert.deepEqual(users?.population.size, [
      { durationMs: 10_000, from: 0, to: 100 },
      { durationMs: 60_000, from: 100, to: 100 },
    ]);
    assert.deepEqual(
      [users?.population.connectRate, users?.population.lifetime, users?.population.reconnect],
      [
        50,
        { kind: "exponential", meanMs: 30_000 },
        { kind: "backoff", baseMs: 1000, maxMs: 30_000, jitter: "full" },
      ],
    );
    assert.ok(users?.traffic.kind === "echo");
    assert.deepEqual(
      users.traffic.messages.payloads.map(({ content, weight }) => [content.length, weight]),
      [
        [1024, 3],
        [2, 1],
        [11, 1],
      ],
    );
    assert.ok(slow?.traffic.kind === "read" && slow.traffic.bytesPerSecond === 0);
    assert.ok(bots?.traffic.kind === "script");
    assert.deepEqual(bots.traffic.steps[2], {
      kind: "repeat",
      times: 2,
      steps: [
        { kind: "think", ms: 1000, isExponential: true },
        { kind: "send", content: Buffer.from("x") },
        { kind: "expect", contains: null },
      ],
    });
    assert.ok(room?.traffic.kind === "fanout" && room.traffic.payloadBytes === 64);
    assert.equal(timeline[1]?.abortIf[0]?.value, 50_000);
    assert.deepEqual(guards, { goneAfterMs: 60_000, maxFailures: 7 });
    assert.deepEqual(resources, { threads: 2, seed: 7, part: undefined });
  });

  test("can be used for another target", (t) => {
    assert.equal(readScenarioFile(fileWith(t, single), "ws://127.0.0.1:1/").target.url, "ws://127.0.0.1:1/");
  });

  test("is refused with all of its problems, each with its place", (t) => {
    const path = fileWith(t, {
      ...single,
      target: { url, timeout: "soon" },
      population: { size: -1, reconnect: "often" },
      traffic: { kind: "echo", depth: 4, rate: 5 },
      timeline: [
        { name: "a", duration: "10" },
        { name: "a", duration: "10s", abortIf: ["p98>1"] },
      ],
      surprise: 1,
    });
    assert.throws(
      () => readScenarioFile(path, undefined),
      (error: UsageError) => {
        const said = error.problems.join("\n");
        for (const expected of [
          /population\.size: must be a number, or stages/,
          /population\.reconnect: "often" is not a way to reconnect/,
          /traffic: must have one of depth/,
          /timeline\[0\]\.duration: "10" is not a duration/,
          /timeline\[1\]\.abortIf\[0\]: "p98>1" is not a condition/,
          /Unrecognized key: "surprise"/,
        ]) {
          assert.match(said, expected);
        }
        return true;
      },
    );
  });

  for (const [what, changes, problem] of [
    ["a target that is not a WebSocket", { target: { url: "http://x/" } }, /is not a WebSocket URL/],
    ["a wrong time-out", { target: { url, timeout: "soon" } }, /target\.timeout: "soon" is not a duration/],
    ["TLS files without TLS", { target: { url, ca: "none.pem" } }, /target\.ca: cannot read the file/],
    ["no group", { population: undefined }, /give either groups, or population and traffic/],
    [
      "a script that only sends",
      { traffic: { kind: "script", steps: [{ send: "x" }] } },
      /a script that only sends never ends/,
    ],
    [
      "a payload that is not there",
      { traffic: { kind: "echo", depth: 1, payload: [{ file: "none" }] } },
      /traffic of all: ENOENT/,
    ],
    ["too many connections", { population: { size: 900_000_000 } }, /file descriptors|memory/],
  ] as const) {
    test(`is refused for ${what}`, (t) => {
      const path = fileWith(t, { ...single, ...changes });
      assert.throws(
        () => readScenarioFile(path, undefined),
        (error) => error instanceof UsageError && problem.test(error.problems.join("\n")),
      );
    });
  }

  test("is refused if it is not JSON or does not exist", (t) => {
    assert.throws(() => readScenarioFile(fileWith(t, "{"), undefined), /cannot read .*scenario\.json/);
    assert.throws(() => readScenarioFile("/nowhere/scenario.json", undefined), /ENOENT/);
  });
});
