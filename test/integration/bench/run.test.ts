// The built command `run`: worker threads, exit codes, output streams, signals.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { resultSchema } from "../../../bench/result/schema.ts";
import { parseResult, readResult } from "../../../bench/result/store.ts";
import { scrape, spawnServer } from "../../support/echo-server.ts";
import { type ClientMessage, echo, startMisbehavingServer } from "../../support/misbehaving-server.ts";
import { inTime, waitUntil } from "../../support/wait.ts";

const cli = fileURLToPath(new URL("../../../dist/bench/cli.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "bench-run-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(
  args: readonly string[],
  command: readonly string[] = ["run"],
): { child: ChildProcess; finished: Promise<Finished> } {
  const child = spawn(process.execPath, [cli, ...command, ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const finished = new Promise<Finished>((resolve) => {
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, finished: inTime(finished, `run ${args.join(" ")}`, 40_000) };
}

const run = (...args: string[]): Promise<Finished> => start(args).finished;

const brief = ["-d", "300ms", "-w", "100ms", "-c", "4"];

describe("run", () => {
  test("measures our own server over threads, and its CPU by process id and metrics page", async (t) => {
    const { authority, pid } = await spawnServer(t);
    const { code, stdout, stderr } = await run(
      `ws://${authority}/echo`,
      ...["-d", "1100ms", "-w", "100ms", "-c", "4", "-t", "2", "-p", "4"],
      ...[
        "--pid",
        String(pid),
        "--metrics-url",
        `http://${authority}/metrics`,
        "--verify",
        "full",
        "--threshold",
        "lost==0",
        "--threshold",
        "rate>1",
        "--json",
      ],
    );
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    const path = join(folder, "own.json");
    writeFileSync(path, stdout);
    const result = readResult(path);
    assert.equal(result.connections.opened, 4);
    assert.equal(result.scenario.threads, 2);
    assert.equal(result.server?.source, "pid");
    assert.ok((result.server?.cpuUsPerMessage ?? 0) > 0);
    assert.equal(result.server?.droppedMessages, 0);
    assert.notEqual(result.server?.maxBufferedBytes, null);
    assert.ok((result.client.busiestThreadPercent ?? 0) > 0);
    assert.ok((result.server?.busiestThreadPercent ?? 0) > 0);
    assert.equal(result.connects?.open?.latencyUs !== undefined, true);
    assert.ok((result.wire?.sentBytes ?? 0) > 70 * result.messages.sent * 0.5);
    assert.ok((result.generator?.hiccupUs?.max ?? -1) >= 0);
    assert.equal(result.series.length, 2);
    assert.deepEqual(
      result.thresholds.map(({ passed }) => passed),
      [true, true],
    );
  });

  test("prints a report, writes a Result to a new file, and shows no progress on a pipe", async (t) => {
    const { url } = await startMisbehavingServer(t);
    const out = join(folder, "out.json");
    const { code, stdout, stderr } = await run(url, ...brief, "--out", out, "--label", "a target");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /messages\/s/);
    assert.match(stdout, /p99\.9/);
    assert.equal(stderr, `Result: ${out}\n`);
    assert.equal(readResult(out).label, "a target");
    const again = await run(url, ...brief, "--out", out);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /--out: .* already exists/);
  });

  test("changes the rate in stages, and reports each", async (t) => {
    const { url } = await startMisbehavingServer(t);
    const { code, stdout } = await run(url, "-c", "4", "--stages", "300ms:20..100,300ms:100", "--json");
    assert.equal(code, 0, stdout);
    const { steps, scenario, window } = resultSchema.parse(JSON.parse(stdout));
    assert.deepEqual(
      steps.map(({ name, messages }) => [name, messages.due]),
      [
        ["300ms:20..100", 18],
        ["300ms:100", 30],
      ],
    );
    assert.deepEqual([scenario.ratePerSecond, scenario.warmupMs, window.seconds], [80, 0, 0.6]);
    const both = await run(url, "--stages", "1s:5", "--rate", "5", "--duration", "1s");
    assert.equal(both.code, 2);
    assert.match(both.stderr, /--stages and --rate contradict[\s\S]*--stages and --duration contradict/);
  });

  test("runs a scenario from a file, and report reads its Result", async (t) => {
    const { url } = await startMisbehavingServer(t);
    const [file, out] = [join(folder, "scenario.json"), join(folder, "session.json")];
    const traffic = { kind: "echo", rate: 50 };
    const timeline = [{ name: "first", duration: "400ms" }];
    const scenario = { target: { url: "ws://127.0.0.1:1/" }, population: { size: 4 }, traffic, timeline };
    writeFileSync(file, JSON.stringify(scenario));
    const { code, stdout, stderr } = await run(
      "--scenario",
      file,
      url,
      "-o",
      out,
      "--threshold",
      "answered==20",
    );
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^first +all +4 /m);
    assert.match(stdout, /met +answered==20/);
    for (const format of ["text", "markdown", "csv", "html"]) {
      const report = await start(["--format", format, out], ["report"]).finished;
      assert.equal(report.code, 0, report.stderr);
      assert.match(report.stdout, /echo/);
    }
    const other = join(folder, "session-other.json");
    const report = readFileSync(out, "utf8");
    writeFileSync(other, report.replace('"label": null', '"label": "other"'));
    const merged = await start([out, other, "--expect", "2"], ["merge"]).finished;
    assert.equal(merged.code, 1, merged.stderr);
    assert.match(merged.stdout, /merged from 2 generators[\s\S]*answered==20 \(it was 40\)/);
    const twice = await start([out, out], ["merge"]).finished;
    assert.equal(twice.code, 2);
    assert.match(twice.stderr, /would count twice/);
    const wrong = await run("--scenario", file, "--rate", "5", "-c", "9");
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--connections does not go with --scenario[\s\S]*--rate does not go/);
    const none = await run();
    assert.equal(none.code, 2);
    assert.match(none.stderr, /the URL is missing/);
  });

  test("names a Result without --out", async (t) => {
    const { url } = await startMisbehavingServer(t);
    const { code, stderr } = await run(url, ...brief);
    assert.equal(code, 0);
    const [, path = ""] = /^Result: (.*)$/m.exec(stderr) ?? [];
    assert.ok(existsSync(join(folder, path)), path);
  });

  test("exits with 1 and names the threshold that does not hold", async (t) => {
    const { url } = await startMisbehavingServer(t);
    const { code, stdout } = await run(url, ...brief, "--threshold", "p50<1us");
    assert.equal(code, 1);
    assert.match(stdout, /NOT ACCEPTABLE: threshold p50<1us was not met/);
  });

  test("exits with 1 when replies are corrupt, and says what was wrong", async (t) => {
    const reply = (message: ClientMessage): Buffer => {
      if (message.index === 3) {
        message.payload[20] = (message.payload[20] ?? 0) ^ 1;
      }
      return echo(message);
    };
    const { url } = await startMisbehavingServer(t, { reply });
    const out = join(folder, "corrupt.json");
    const args = [
      "-d",
      "300ms",
      "-w",
      "0",
      "-c",
      "4",
      "--verify",
      "full",
      "--seed",
      "7",
      "-H",
      "Cookie: a=b",
    ];
    const { code, stdout } = await run(url, ...args, "--out", out);
    assert.equal(code, 1);
    assert.match(stdout, /NOT ACCEPTABLE: 4 messages were corrupt/);
    assert.match(stdout, /errors +wrong-bytes \(4x\): a reply was not the message sent/);
    const { errors, firstErrors, command, scenario } = readResult(out);
    assert.deepEqual(Object.keys(firstErrors), Object.keys(errors));
    assert.match(firstErrors["wrong-bytes"] ?? "", /^a reply was not the message sent/);
    assert.deepEqual(command?.slice(0, 2), ["run", url]);
    assert.deepEqual(command?.slice(-4), ["-H", "Cookie: ***", "--out", out]);
    assert.equal(scenario.seed, 7);
  });

  test("refuses a warm-up of unknown length before a start at a given time", async () => {
    const startAt = new Date(Date.now() + 60_000).toISOString();
    const { code, stderr } = await run("ws://127.0.0.1:1/", "--warmup", "auto", "--start-at", startAt);
    assert.equal(code, 2);
    assert.match(stderr, /--warmup auto .* neither --stages nor --start-at/);
  });

  test("exits with 2 on wrong usage, with every problem, and starts nothing", async () => {
    const { code, stdout, stderr } = await run("ftp://nowhere", "-c", "many", "--depth", "1", "--rate", "5");
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /not a WebSocket URL[\s\S]*--connections[\s\S]*give one/);
    assert.equal((await run("ws://127.0.0.1/", "--no-such-option")).code, 2);
    assert.equal((await run()).code, 2);
  });

  test("refuses a start that is past, far off or not a time, before it connects", async () => {
    const url = "ws://127.0.0.1:9/";
    const passed = await run(url, "--start-at", "2020-01-01T00:00:00Z", "-c", "0");
    assert.equal(passed.code, 2);
    assert.match(passed.stderr, /--connections: must be/);
    assert.match(passed.stderr, /--start-at: 2020-01-01T00:00:00Z has passed already, it is 20/);
    const inMilliseconds = await run(url, "--start-at", String(Date.now() + 5000));
    assert.equal(inMilliseconds.code, 2);
    assert.match(inMilliseconds.stderr, /more than a day ahead \(a number counts seconds/);
    assert.match((await run(url, "--start-at", "soon")).stderr, /--start-at: "soon" is not a point in time/);
  });

  test("exits with 3 when nothing was measured, and says why", async (t) => {
    const { port, kill } = await startMisbehavingServer(t);
    await kill();
    const out = join(folder, "nothing.json");
    const { code, stdout, stderr } = await run(`ws://127.0.0.1:${port}/`, ...brief, "--out", out);
    assert.equal(code, 3);
    assert.equal(stdout, "");
    assert.match(stderr, /error: unreachable \(4x\): cannot reach 127.0.0.1:\d+: .*ECONNREFUSED/);
    assert.match(stderr, /error: nothing was measured: no connection could be opened/);
    assert.equal(existsSync(out), false);
  });

  test("exits with 3 when the requested metrics page does not exist", async (t) => {
    const { url, port } = await startMisbehavingServer(t);
    const { code, stderr } = await run(url, ...brief, "--metrics-url", `http://127.0.0.1:${port}/metrics`);
    assert.equal(code, 3);
    assert.match(stderr, /cannot be read as a Prometheus page/);
  });

  /** Starts a long run against our own server, and resolves once it has sent messages. */
  async function startLong(t: TestContext, out: string) {
    const server = await spawnServer(t);
    const running = start([
      `ws://${server.authority}/echo`,
      ...["-d", "60s", "-w", "0", "-c", "4", "--out", out],
    ]);
    await waitUntil(async () => {
      const samples = await scrape(`http://${server.authority}/metrics`);
      return (samples['echo_messages_received_total{type="binary"}'] ?? 0) > 1000;
    }, "a thousand messages");
    return { server, ...running };
  }

  test("writes a partial Result when it is interrupted, and exits with 1", async (t) => {
    const out = join(folder, "interrupted.json");
    const { child, finished } = await startLong(t, out);
    child.kill("SIGINT");
    const { code, stdout, stderr } = await finished;
    assert.equal(code, 1, stderr);
    assert.match(stdout, /NOT ACCEPTABLE: the run ended early: it was interrupted/);
    const result = readResult(out);
    assert.equal(result.partial?.reason, "it was interrupted");
    assert.equal(result.messages.lost, 0);
    assert.ok(result.messages.received > 500);
  });

  test("writes a partial Result when the target is killed, and exits with 1", async (t) => {
    const out = join(folder, "killed.json");
    const { server, finished } = await startLong(t, out);
    process.kill(server.pid, "SIGKILL");
    const { code, stdout, stderr } = await finished;
    assert.equal(code, 1, stderr);
    assert.match(stdout, /NOT ACCEPTABLE: the run ended early: the target ended every connection/);
    const result = readResult(out);
    assert.equal(result.connections.closedEarly, 4);
    assert.ok(result.messages.received > 500);
  });
});

describe("a measurement is not lost", () => {
  test("when a worker of the target is killed in mid-run", async (t) => {
    const { authority, pid } = await spawnServer(t, ["--workers", "2"]);
    const out = join(folder, "worker.json");
    const { finished } = start([
      `ws://${authority}/echo`,
      ...["-d", "4s", "-w", "0s", "-c", "8", "-r", "200", "--pid", String(pid), "--out", out],
    ]);
    await waitUntil(async () => {
      const samples = await scrape(`http://${authority}/metrics`);
      return (samples['echo_messages_received_total{type="binary"}'] ?? 0) > 100;
    }, "a hundred messages");
    const [child = ""] = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ");
    process.kill(Number(child), "SIGKILL");
    const { code, stderr } = await finished;
    assert.equal(code, 1, stderr);
    const result = readResult(out);
    assert.equal(result.verdict, "invalid");
    assert.ok(result.connections.closedEarly > 0);
    assert.ok((result.server?.cpuPercent ?? -1) >= 0, `${result.server?.cpuPercent} %`);
  });

  test("when its file cannot be written: that is reported before anything is measured", async (t) => {
    const { url } = await startMisbehavingServer(t);
    writeFileSync(join(folder, "file"), "");
    for (const out of [join(folder, "file", "a.json"), "/proc/x/a.json"]) {
      const { code, stdout, stderr } = await run(url, ...brief, "--out", out);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /--out: cannot write .*a\.json/);
      assert.equal(stdout, "");
    }
  });

  test("when its name is taken meanwhile: it goes to the standard output", async (t) => {
    const out = join(folder, "taken.json");
    const reply = (message: ClientMessage): Buffer => {
      writeFileSync(out, "mine");
      return echo(message);
    };
    const { url } = await startMisbehavingServer(t, { reply });
    const { finished } = start([url, "-d", "500ms", "-w", "0s", "-c", "2", "--rate", "20", "--out", out]);
    const { code, stdout, stderr } = await finished;
    assert.equal(code, 1, stderr);
    assert.match(stderr, /already exists .*; the JSON is on the standard output instead/);
    const [line = ""] = stdout.split("\n").filter((text) => text.startsWith("{"));
    assert.ok(parseResult("stdout", line).messages.received > 0);
    assert.equal(readFileSync(out, "utf8"), "mine");
  });

  test("when two that start together write to one folder", async (t) => {
    const { url } = await startMisbehavingServer(t);
    const startAt = String(Math.ceil(Date.now() / 1000) + 8);
    const both = await Promise.all([1, 2].map(() => run(url, ...brief, "--start-at", startAt)));
    const names = both.map(({ code, stderr }) => {
      assert.equal(code, 0, stderr);
      return /Result: (\S+)/.exec(stderr)?.[1];
    });
    assert.equal(new Set(names).size, 2, names.join());
  });

  test("when it is interrupted while it waits for the last replies", async (t) => {
    const reply = (message: ClientMessage): Buffer | undefined =>
      message.index < 20 ? echo(message) : undefined;
    const { url } = await startMisbehavingServer(t, { reply });
    const out = join(folder, "drained.json");
    const { child, finished } = start([
      url,
      ...["-d", "300ms", "-w", "0s", "-c", "2", "--timeout", "60s", "--out", out],
    ]);
    setTimeout(() => child.kill("SIGINT"), 4000);
    setTimeout(() => child.kill("SIGINT"), 5000);
    const { code, stderr } = await finished;
    assert.equal(code, 1, stderr);
    const result = readResult(out);
    assert.equal(result.messages.lost, 2);
    assert.match(result.partial?.reason ?? "", /interrupted/);
  });

  test("when its terminal goes away", async (t) => {
    const { url } = await startMisbehavingServer(t);
    const out = join(folder, "hangup.json");
    const { child, finished } = start([url, "-d", "60s", "-w", "0s", "-c", "2", "--out", out]);
    setTimeout(() => child.kill("SIGHUP"), 4000);
    const { code, stderr } = await finished;
    assert.equal(code, 1, stderr);
    assert.equal(readResult(out).partial?.reason, "it was interrupted");
  });
});

test("run and http report a port that accepts and then closes", async (t) => {
  const slam = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => slam.listen(0, "127.0.0.1", resolve));
  t.after(() => slam.close());
  const address = slam.address();
  const authority = `127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  for (const command of [
    ["run", `ws://${authority}/`],
    ["http", `http://${authority}/`],
  ]) {
    const { code, stderr } = await start(["-d", "300ms", "-w", "0s", "-c", "4"], command).finished;
    assert.equal(code, 3, stderr);
    assert.match(stderr, /nothing was measured/);
  }
});

test("an unknown host is one error at once, in every command that measures", async () => {
  for (const [command, target] of [
    [["run"], ["ws://no-such-host.invalid/"]],
    [["http"], ["http://no-such-host.invalid/"]],
    [["compare"], ["ws://no-such-host.invalid/", "ws://127.0.0.1:1/"]],
  ] as const) {
    const { code, stderr } = await start([...target, "--timeout", "60s"], command).finished;
    assert.equal(code, 3, stderr);
    assert.match(
      stderr,
      /^error: the host "no-such-host\.invalid" (is not known|has no address now) \(\w+\)\n$/,
    );
  }
});

test("the help says what each exit code means", async () => {
  const { code, stdout } = await run("--help");
  assert.equal(code, 0);
  assert.match(stdout, /--connections/);
  const help = await start(["--help"], []).finished;
  assert.match(help.stdout, /Exit codes:[\s\S]*3 {2}nothing was measured/);
});
