import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Command } from "commander";
import {
  addLoadOptions,
  addResultOptions,
  addStageOptions,
  type LoadOptions,
  readLoadOptions,
} from "../../../../bench/commands/load-options.ts";
import { UsageError } from "../../../../bench/commands/option-schemas.ts";

const folder = mkdtempSync(join(tmpdir(), "bench-options-"));
after(() => rmSync(folder, { recursive: true }));

const wsUrl = "ws://127.0.0.1:9998/echo";

function read(args: string, url = wsUrl): LoadOptions {
  const command = addResultOptions(addStageOptions(addLoadOptions(new Command()))).exitOverride();
  return readLoadOptions(url, command.parse(args.split(" ").filter(Boolean), { from: "user" }).opts());
}

function problemsOf(args: string, url = wsUrl): readonly string[] {
  try {
    read(args, url);
  } catch (error) {
    if (error instanceof UsageError) {
      return error.problems;
    }
    throw error;
  }
  return [];
}

describe("the options of a load", () => {
  test("of a probe go together", () => {
    assert.equal(read("").scenario.probe, undefined);
    assert.deepEqual(read("--probe-connections 8 --probe-rate 200").scenario.probe, {
      connections: 8,
      ratePerSecond: 200,
    });
    assert.match(problemsOf("--probe-rate 200").join(), /--probe-connections and --probe-rate go together/);
    assert.match(
      problemsOf("--probe-connections 0 --probe-rate 1e9").join(),
      /--probe-connections[\s\S]*--probe-rate/,
    );
  });

  test("have a warm-up of a given length", () => {
    assert.equal(read("--warmup 3s").scenario.warmupMs, 3000);
    assert.deepEqual(problemsOf("--warmup auto"), ["--warmup: auto goes with run only: give a time"]);
    assert.match(problemsOf("--warmup 48h").join(), /--warmup: must be from 0/);
  });

  test("with the same seed make the same payloads, each another one", () => {
    const payloadsOf = (args: string) => read(`--payload 64,64 ${args}`).scenario.endpoint.payloads;
    assert.deepEqual(payloadsOf("--seed 7"), payloadsOf("--seed 7"));
    assert.notDeepEqual(payloadsOf("--seed 7"), payloadsOf("--seed 8"));
    assert.notDeepEqual(payloadsOf(""), payloadsOf(""));
    const [first, second] = payloadsOf("--seed 7");
    assert.notDeepEqual(first, second);
    assert.match(problemsOf("--seed 4294967296").join(), /--seed/);
  });

  test("have defaults that make a scenario", () => {
    const { scenario, thresholds, pid } = read("");
    assert.deepEqual([scenario.connections, scenario.threads, scenario.engine], [64, 1, "raw"]);
    assert.deepEqual(scenario.loop, { kind: "closed", depth: 1 });
    assert.deepEqual(
      [scenario.warmupMs, scenario.durationMs, scenario.endpoint.timeoutMs],
      [2000, 10_000, 10_000],
    );
    assert.deepEqual(
      scenario.endpoint.payloads.map((payload) => payload.length),
      [64],
    );
    assert.deepEqual([thresholds, pid], [[], undefined]);
  });

  test("are read with their units", () => {
    const { scenario } = read(
      "-c 10 --rate 20k --arrivals poisson -d 500ms -w 0 --ramp 100 -s 64,4KiB --type text --timeout 2s " +
        "--verify full --subprotocol a --subprotocol b --origin https://x.test -H X-A:1",
    );
    assert.deepEqual(scenario.loop, { kind: "open", ratePerSecond: 20_000, arrivals: "poisson" });
    assert.deepEqual([scenario.connections, scenario.connectionsPerSecond], [10, 100]);
    assert.deepEqual([scenario.durationMs, scenario.warmupMs], [500, 0]);
    assert.deepEqual(
      scenario.endpoint.payloads.map((payload) => payload.length),
      [64, 4096],
    );
    assert.deepEqual(scenario.endpoint.subprotocols, ["a", "b"]);
    assert.deepEqual(scenario.endpoint.headers, [["X-A", "1"]]);
    assert.equal(scenario.endpoint.verify, "full");
  });

  test("take a file as payload", () => {
    const path = join(folder, "payload.json");
    writeFileSync(path, '{"hello": "world"}');
    assert.equal(
      Buffer.from(read(`-s @${path}`).scenario.endpoint.payloads[0] ?? []).toString(),
      '{"hello": "world"}',
    );
  });

  test("take what reaches the target: addresses, names, templates", () => {
    const path = join(folder, "tokens");
    writeFileSync(path, "one\ntwo\r\n");
    const { scenario } = read(
      `--resolve Echo.Test:10.0.0.7 --resolve b:::1 --source 127.0.0.2,127.0.0.3 -H X-A:{line:${path}}`,
    );
    assert.deepEqual(scenario.endpoint.addresses, { "echo.test": "10.0.0.7", b: "::1" });
    assert.deepEqual(scenario.sources, ["127.0.0.2", "127.0.0.3"]);
    assert.deepEqual(scenario.endpoint.templateLines, { [path]: ["one", "two"] });
    assert.equal(read('-H X-A:{"json":1}').scenario.endpoint.templateLines, undefined);
  });

  test("take a first message, whose placeholders are filled in", () => {
    const path = join(folder, "first");
    writeFileSync(path, "one\ntwo\n");
    const { endpoint } = read(`--first-message {line:${path}} --first-replies 2`).scenario;
    assert.deepEqual(endpoint.firstMessage, { text: `{line:${path}}`, replies: 2 });
    assert.deepEqual(endpoint.templateLines, { [path]: ["one", "two"] });
    assert.equal(read("").scenario.endpoint.firstMessage, undefined);
    const problems = problemsOf(`--first-replies 1 -H X-A:{token}`).join("\n");
    assert.match(problems, /--first-replies needs --first-message/);
    assert.match(problems, /\{token\} is not a placeholder/);
  });

  test("read the file of a placeholder once, so that it may be a pipe", (t) => {
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    // The second writer serves a second reading, which would get nothing.
    const writer = spawn("/bin/sh", ["-c", 'printf "one\\ntwo\\n" > "$0"; : > "$0"', path]);
    t.after(() => writer.kill("SIGKILL"));
    const { endpoint } = read(`-H X-A:{line:${path}} -H X-B:{line:${path}}`).scenario;
    assert.deepEqual(endpoint.templateLines, { [path]: ["one", "two"] });
  });

  test("refuse a certificate without its key, and one that is not a certificate", () => {
    const path = join(folder, "not.pem");
    writeFileSync(path, "nonsense");
    const problems = problemsOf(`--cert ${path}`, "wss://127.0.0.1/").join("\n");
    assert.match(problems, /--cert and --key belong together/);
    assert.match(problems, /--ca, --cert and --key must be PEM files/);
  });

  test("are all checked at once", () => {
    const problems = problemsOf(
      "-c none -d 1x --engine fast --threshold p98<1ms -H nonsense --type json --pid 4194304",
      "http://127.0.0.1/",
    );
    assert.equal(problems.length, 8, problems.join("\n"));
    for (const expected of [
      /http:\/\/127.0.0.1\/" is not a WebSocket URL/,
      /^--connections: "none" is not a number/,
      /^--duration: "1x" is not a duration/,
      /^--engine: must be raw or ws/,
      /^--threshold: "p98<1ms" is not a threshold/,
      /^--header: "nonsense" is not a header/,
      /^--type: must be text or binary/,
      /^--pid: is not a process/,
    ]) {
      assert.ok(
        problems.some((problem) => expected.test(problem)),
        `${expected} in ${problems.join("\n")}`,
      );
    }
  });

  const impossible: [string, RegExp][] = [
    ["--depth 2 --rate 10", /give one/],
    ["--arrivals even", /--arrivals needs --rate/],
    ["-c 2 -t 3", /3 threads cannot share 2 connections/],
    ["-c 999999", /file descriptors/],
    ["-c 0", /between 1 and 1000000/],
    ["-c 1.5", /whole number/],
    ["-r 0", /between 0.001/],
    ["-d 0", /from 10ms to 168h/],
    ["-d 30", /give a number with us, ms, s, m or h/],
    ["-s 1GiB", /at most 256MiB/],
    ["-s ,", /is not a size/],
    ["-s @/nowhere/file", /cannot read the file: ENOENT/],
    ["--ca /nowhere/ca.pem", /cannot read the file: ENOENT/],
    ["--insecure", /needs a wss/],
    ["--cert /nowhere/cert.pem", /cannot read the file: ENOENT/],
    ["--servername a", /--servername needs a wss/],
    ["--resolve localhost", /"localhost" is not HOST:IP/],
    ["--resolve a:b", /"a:b" is not HOST:IP/],
    ["--source 127.0.0.2,192.0.2.1", /"192\.0\.2\.1" is not an IP address of this machine/],
    ["-H X-A:{user}", /\{user\} is not a placeholder: \{connection\}, /],
    ["-H X-A:{line:/nowhere/tokens}", /\/nowhere\/tokens: cannot read the file: ENOENT/],
    ["-H Sec-WebSocket-Key:x", /is part of the handshake/],
    ["--metrics-url ftp://x/", /must be an http/],
    ["--subprotocol a,b", /must be a token/],
  ];
  for (const [args, expected] of impossible) {
    test(`refuse ${args}`, () => assert.match(problemsOf(args).join("\n"), expected));
  }

  test("refuse a text payload that is not UTF-8, and one that a sequence number would break", () => {
    const path = join(folder, "latin1.txt");
    writeFileSync(path, Buffer.from([0xe9, 0x20, 0x20]));
    assert.match(problemsOf(`-s @${path} --type text`).join("\n"), /not UTF-8/);
    writeFileSync(path, "naïve text");
    assert.match(problemsOf(`-s @${path} --type text --verify full`).join("\n"), /must be ASCII/);
    assert.deepEqual(problemsOf(`-s @${path} --type binary --verify full`), []);
  });

  test("refuse a URL with a fragment or credentials", () => {
    assert.match(problemsOf("", "ws://a:b@h/#x").join("\n"), /fragment[\s\S]*credentials/);
  });
});
