import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readComparison, writeResult } from "../../../bench/result/store.ts";
import { listProcesses } from "../../../bench/target/proc.ts";
import { startTarget } from "../../../bench/target/started-target.ts";
import { startHarness } from "../../support/harness.ts";
import { exampleResult } from "../../support/result.ts";
import { spawnOnTerminal } from "../../support/terminal.ts";
import { toolTest } from "../../support/tools.ts";
import { inTime, waitUntil } from "../../support/wait.ts";

const folder = mkdtempSync(join(tmpdir(), "uws-echo-compare-targets-"));
after(() => rmSync(folder, { recursive: true }));

const ws = "node bench/peers/ws.js {port}";
const short = ["--duration", "100ms", "--warmup", "0s", "--connections", "2"];
const deadlineMs = 90_000;

const compare = (...args: string[]) => startHarness(["compare", ...args]).ended;

/** Processes that run and have this text in their command line. */
function processesWith(marker: string): number[] {
  return listProcesses().flatMap(({ pid, isZombie }) => {
    const path = `/proc/${pid}/cmdline`;
    return !isZombie && existsSync(path) && readFileSync(path, "latin1").includes(marker) ? [pid] : [];
  });
}

/** A command that counts its starts in a file, and runs `sh` code with the count in $n. */
function counting(name: string, code: string): string {
  const file = join(folder, name);
  writeFileSync(file, "0");
  return `sh -c 'n=$(($(cat ${file}) + 1)); echo $n > ${file}; ${code}; exec ${ws}'`;
}

/** A command that starts a process in its own session, whose parent ends, and then a server. */
function daemonizing(marker: string): string {
  const file = join(folder, `${marker}.cjs`);
  const daemon = `["-e", "setInterval(() => 0, 1e6)", "daemon-${marker}"]`;
  const start = `require("node:child_process").spawn(process.execPath, ${daemon}, { detached: true, stdio: "ignore" })`;
  writeFileSync(file, `${start}.unref();\n`);
  return `sh -c 'node -e "setInterval(() => 0, 1e6)" ${marker} & node ${file}; ${ws} & wait'`;
}

test("measures targets that fork and daemonize, and leaves no process behind", async () => {
  const marker = `forked-${process.pid}`;
  const running = startHarness(["compare", daemonizing(marker), ws, ...short, "--rounds", "1"]);
  await waitUntil(() => processesWith(`daemon-${marker}`).length > 0, "the daemon runs", deadlineMs);
  const { exitCode, stderr } = await running.ended;
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(processesWith(marker), []);
});

test("a killed harness leaves no target behind, nor a daemon that it has started", async () => {
  const marker = `orphan-${process.pid}`;
  const load = ["--duration", "60s", "--connections", "2"];
  const child = spawn(process.execPath, ["dist/bench/cli.js", "compare", daemonizing(marker), ws, ...load], {
    stdio: "ignore",
  });
  await waitUntil(() => processesWith(`daemon-${marker}`).length > 0, "the daemon runs", deadlineMs);
  child.kill("SIGKILL");
  await waitUntil(() => processesWith(marker).length === 0, "the target has ended", deadlineMs);
});

test("a target that dies at its fourth start fails only its round", async () => {
  const out = join(folder, "died-once.json");
  const dying = counting("starts-once", '[ $n = 4 ] && { echo "no luck"; exit 9; }');
  const { exitCode, stderr } = await compare(dying, ws, ...short, "--rounds", "3", "--out", out);
  assert.equal(exitCode, 1, stderr);
  const { rounds, failedRounds, warnings, samples, stop } = readComparison(out);
  assert.deepEqual([rounds, samples.length, stop], [3, 12, "rounds"]);
  assert.deepEqual(
    failedRounds.map(({ round }) => round),
    [2],
  );
  assert.match(warnings.join(), /Round 2 does not count: .* ended at once \(exit code 9\); it said: no luck/);
  assert.match(stderr, /round 2 does not count/);
});

test("a target that does not start again ends the comparison with the complete rounds", async () => {
  const out = join(folder, "died-for-good.json");
  const dying = counting("starts-for-good", "[ $n -gt 4 ] && exit 9");
  const { exitCode } = await compare(dying, ws, ...short, "--rounds", "8", "--out", out);
  assert.equal(exitCode, 1);
  const { rounds, failedRounds, stop } = readComparison(out);
  assert.deepEqual([rounds, failedRounds.length, stop], [2, 3, "failures"]);
});

test("rounds end when the interval is narrow enough, at the maximum, or before the deadline", async (t) => {
  // A running process makes rounds short.
  const target = await startTarget(ws, { path: "/", timeoutMs: deadlineMs });
  t.after(() => target.stop());
  const until = async (...args: string[]) => {
    const { stdout, stderr } = await compare(target.url, target.url, ...short, "--json", ...args);
    assert.notEqual(stdout, "", stderr);
    const { stop, rounds } = JSON.parse(stdout) as ReturnType<typeof readComparison>;
    return { stop, rounds };
  };
  const narrow = ["--rounds", "3", "--until", "0.1%", "--max-rounds", "4"];
  assert.deepEqual(await until(...narrow), { stop: "max-rounds", rounds: 4 });
  const { stop, rounds } = await until("--rounds", "100", "--deadline", "1s");
  assert.equal(stop, "deadline");
  assert.ok(rounds < 100, String(rounds));
  const wide = await until("--rounds", "3", "--until", "50%", "--max-rounds", "30");
  assert.equal(wide.stop, "width", JSON.stringify(wide));
});

test("10 % more CPU time per message is found", async (t) => {
  const burning = (steps: number) => `node test/support/burning-server.js {port} ${steps}`;
  const args = [...short, "--rounds", "10", "--duration", "250ms", "--json"];
  const { stdout, stderr, exitCode } = await compare(burning(100_000), burning(110_000), ...args);
  assert.equal(exitCode, 0, stderr);
  const { figures, primary } = JSON.parse(stdout) as ReturnType<typeof readComparison>;
  assert.equal(primary, "serverCpuPerMessage");
  const { finding, detectable, low, high } = figures.serverCpuPerMessage;
  // The comparison reports its detectable difference; half of this effect is found nearly always.
  if ((detectable ?? 2) > 1.05) {
    t.skip(`this machine is busy: only ${((detectable ?? 2) - 1) * 100} % could have been found`);
    return;
  }
  assert.equal(finding, "higher", JSON.stringify(figures.serverCpuPerMessage));
  assert.ok((low ?? 0) < 1.1 && (high ?? 9) > 1.06, `${low} to ${high}`);
});

test("stored Results are compared, and refused when the machine is another one", async () => {
  const write = (name: string, cpuUs: number, cores = 2): string => {
    const path = join(folder, `${name}.json`);
    writeResult(
      path,
      exampleResult((result) => {
        result.label = name;
        result.environment.cores = cores;
        if (result.server !== undefined) {
          result.server.cpuUsPerMessage = cpuUs;
        }
      }),
    );
    return path;
  };
  const before = [write("b1", 10), write("b2", 10.1), write("b3", 9.9)];
  const later = [write("a1", 12), write("a2", 12.1), write("a3", 11.9)];
  const against = before.flatMap((path) => ["--against", path]);
  const good = await compare(...later, ...against, "--name-a", "before", "--name-b", "after");
  assert.equal(good.exitCode, 0, good.stderr);
  assert.match(good.stdout, /Stored Results, 3 against 3/);
  assert.match(good.stdout, /after higher by 20 %/);
  const gate = await compare(...later, ...against, "--fail-on", "higher");
  assert.equal(gate.exitCode, 1);
  assert.match(gate.stderr, /server CPU per message is higher \(--fail-on higher\)/);
  const refused = await compare(write("other", 12, 64), ...against);
  assert.equal(refused.exitCode, 2);
  assert.match(refused.stderr, /environment\.cores differs: 2 and 64/);
  const useless = await compare(...later, ...against, "--rounds", "3", "--depth", "2");
  assert.equal(useless.exitCode, 2);
  assert.match(useless.stderr, /--rounds: nothing is measured[\s\S]*--depth: nothing/);
});

/** Runs a comparison on a terminal, presses Ctrl-C once `when` has been shown, and gives what the terminal got. */
async function interruptedWhen(when: RegExp, isInsistent: boolean, a = ws) {
  const command = `${process.execPath} dist/bench/cli.js compare "${a}" "${ws}" --duration 2s --warmup 0s --connections 2 --rounds 2`;
  const child = spawnOnTerminal(command);
  let shown = "";
  child.stdout.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
  });
  const exited = once(child, "exit") as Promise<[number | null]>;
  await waitUntil(() => when.test(shown), `the terminal shows ${when}`, deadlineMs);
  child.stdin.write("\x03");
  // Signals do not queue: a second one must follow after the first was handled.
  const again = isInsistent ? setInterval(() => child.stdin.write("\x03"), 200) : undefined;
  const [exitCode] = await inTime(exited, "Ctrl-C ends the comparison", deadlineMs);
  clearInterval(again);
  return { exitCode, shown };
}

function assertRestored(shown: string): void {
  for (const [off, on] of [
    ["\x1b[?25l", "\x1b[?25h"],
    ["\x1b[?7l", "\x1b[?7h"],
  ] as const) {
    assert.ok(shown.lastIndexOf(on) > shown.lastIndexOf(off), JSON.stringify(shown.slice(-300)));
  }
}

toolTest("script", "Ctrl-C ends a comparison in every phase, and restores the terminal", async () => {
  for (const when of [/connect|measure/, /round 1\/2 {2}A: [\s\S]*measure/]) {
    const { exitCode, shown } = await interruptedWhen(when, false);
    assert.equal(exitCode, 3, shown);
    assert.match(shown, /nothing was compared: interrupted during the first round/);
    assertRestored(shown);
  }
});

toolTest("script", "a second Ctrl-C ends at once, together with a target that ignores SIGTERM", async () => {
  const marker = `stubborn-${process.pid}`;
  const file = join(folder, "stubborn.mjs");
  const server = new URL("../../../bench/peers/ws.js", import.meta.url).href;
  writeFileSync(file, `process.on("SIGTERM", () => undefined);\nawait import(${JSON.stringify(server)});\n`);
  const { exitCode, shown } = await interruptedWhen(/measure/, true, `node ${file} {port} ${marker}`);
  assert.equal(exitCode, 130, shown);
  assertRestored(shown);
  await waitUntil(() => processesWith(marker).length === 0, "the target has ended");
});
