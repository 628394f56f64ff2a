import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type StormReport, stormSchema } from "../../../bench/result/storm.ts";
import type { Cleanup } from "../../support/echo-server.ts";
import { harnessPath } from "../../support/harness.ts";
import { frame, startMisbehavingServer, switchingProtocols } from "../../support/misbehaving-server.ts";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function runStorm(args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [harnessPath, "storm", ...args],
      { timeout: 90_000 },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
      },
    );
  });
}

async function reportOf(args: readonly string[]): Promise<{ code: number; report: StormReport }> {
  const { code, stdout, stderr } = await runStorm([...args, "--json"]);
  assert.match(stdout, /^\{/, stderr);
  return { code, report: stormSchema.parse(JSON.parse(stdout)) };
}

/** A server that spends CPU time on each handshake, and refuses every n-th one. */
async function startStormServer(
  t: Cleanup,
  burnMs: number,
  refuseEvery: number,
): Promise<{ url: string; pid: number }> {
  const script = fileURLToPath(new URL("../../support/storm-server.js", import.meta.url));
  const child = spawn(process.execPath, [script, "0", String(burnMs), String(refuseEvery)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const [line] = await once(child.stdout, "data");
  return { url: `ws://127.0.0.1:${String(line).trim()}/`, pid: child.pid ?? 0 };
}

describe("storm", { concurrency: 2 }, () => {
  test("says that a server takes 20 ms for a handshake and refuses 5 %", async (t) => {
    const { url, pid } = await startStormServer(t, 20, 20);
    const { code, report } = await reportOf([
      url,
      ...["-c", "19", "--rate", "20", "--background", "2@20", "--before", "2s", "--duration", "12s"],
      ...["--reconnect", "full-jitter:100ms:1s", "--pid", String(pid), "--timeout", "30s"],
    ]);
    // With those of the background there are 22 handshakes, of which the server refuses the 20th: one of 20 in the storm.
    assert.deepEqual(report.handshakes, {
      ...report.handshakes,
      begun: 20,
      opened: 19,
      refused: 1,
      failed: 0,
    });
    assert.deepEqual(report.refusals, [{ status: 503, count: 1 }]);
    assert.equal(report.retryAfter, 1);
    // Of CPU time, so no handshake can be faster, however slow the machine.
    assert.ok((report.stages.upgrade?.min ?? 0) >= 20_000, JSON.stringify(report.stages.upgrade));
    assert.ok((report.stages.connected?.max ?? 0) >= 1_000_000, "a client came back after its Retry-After");
    const cpuUs = report.server?.cpuUsPerHandshake ?? 0;
    assert.ok(cpuUs > 15_000 && cpuUs < 60_000, `${cpuUs} us of CPU per handshake`);
    assert.ok(report.background?.before != null && report.background.during != null);
    assert.ok(report.stages.firstEcho !== null);
    assert.deepEqual(report.failures, []);
    assert.equal(code, 0);
  });

  test("works with pings on a server that does not echo, all clients at once", async (t) => {
    const { url } = await startMisbehavingServer(t, { reply: () => frame(1, "what?") });
    const { code, report } = await reportOf([
      url,
      ...["-c", "20", "--background", "2@20", "--before", "1s", "--duration", "3s", "--ping"],
    ]);
    assert.equal(report.handshakes.opened, 20);
    assert.equal(report.ratePerSecond, null);
    assert.equal(report.stages.firstEcho, null);
    assert.ok(report.background?.before != null);
    assert.deepEqual(report.failures, []);
    assert.equal(code, 0);
  });

  test("exits with 1 if clients remain disconnected", async (t) => {
    let handshakes = 0;
    const { url } = await startMisbehavingServer(t, {
      handshake: (accept) => {
        handshakes += 1;
        return handshakes > 2
          ? "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"
          : switchingProtocols(accept);
      },
    });
    const { code, report } = await reportOf([
      url,
      ...["-c", "5", "--rate", "10", "--background", "2@20", "--before", "1s", "--duration", "2s"],
      ...["--reconnect", "never", "--threshold", "refused==0"],
    ]);
    assert.deepEqual(report.refusals, [{ status: 429, count: 5 }]);
    assert.equal(report.absent, 5);
    assert.match(report.failures.join("\n"), /threshold refused==0 was not met: it was 5/);
    assert.match(report.failures.join("\n"), /5 clients had no connection at the end/);
    assert.equal(code, 1);
  });

  test("exits with 3 where nothing listens, and with 2 for wrong options, naming all", async (t) => {
    const { url, kill } = await startMisbehavingServer(t);
    await kill();
    const short = ["-c", "2", "--before", "1s", "--duration", "1s"];
    const nothing = await runStorm([url, ...short]);
    assert.equal(nothing.code, 3, nothing.stderr);
    assert.match(nothing.stderr, /error: nothing was measured: .*cannot reach 127\.0\.0\.1/);
    const alone = await runStorm([url, ...short, "--background", "none", "--reconnect", "never"]);
    assert.equal(alone.code, 3, alone.stderr);

    const wrong = await runStorm([
      "ws://a/",
      ...["--background", "10", "--rate", "fast", "--reconnect", "soon", "--threshold", "p98<1ms"],
    ]);
    assert.equal(wrong.code, 2);
    for (const flag of ["--background: ", "--rate: ", "--reconnect: ", "--threshold: "]) {
      assert.ok(wrong.stderr.includes(flag), `${flag} in ${wrong.stderr}`);
    }
    const both = await runStorm(["ws://a/", "--arrivals", "poisson"]);
    assert.equal(both.code, 2);
    assert.match(both.stderr, /--arrivals poisson needs a --rate/);
  });
});
