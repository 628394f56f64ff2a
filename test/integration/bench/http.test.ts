import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { type Result, resultSchema } from "../../../bench/result/schema.ts";

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function bench(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, ["dist/bench/cli.js", "http", ...args]);
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  return { exitCode, stdout, stderr };
}

function resultOf({ stdout }: Ended): Result {
  return resultSchema.parse(JSON.parse(stdout));
}

async function serve(t: TestContext, listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

const short = ["--connections", "4", "--duration", "600ms", "--warmup", "200ms", "--json"];

test("measures an echoed POST in one Result, labelled as HTTP, finer than milliseconds", async (t) => {
  const { url } = await serve(t, (request, response) => {
    setTimeout(() => request.pipe(response), 20);
  });
  const ended = await bench(
    url,
    "--body",
    "100",
    "--pid",
    String(process.pid),
    "--threshold",
    "lost==0",
    ...short,
  );
  assert.equal(ended.exitCode, 0, ended.stderr);
  const result = resultOf(ended);
  assert.equal(result.loop, "http");
  assert.equal(result.latencyFrom, "actual-send");
  assert.equal(result.engine.name, "autocannon");
  assert.deepEqual(result.scenario.payloadBytes, [100]);
  assert.equal(result.messages.received, result.messages.sent);
  assert.ok(result.messages.received > 0);
  assert.ok((result.summary.latencyUs?.p50 ?? 0) >= 19_000, "no response is faster than the server's delay");
  assert.ok(result.summary.messagesPerSecond <= 4 / 0.019, "four connections, one request each at a time");
  assert.ok(Math.abs(result.summary.bytesPerSecond - 100 * result.summary.messagesPerSecond) < 1);
  assert.ok(Math.abs(result.window.seconds - 0.6) < 0.01, "the warm-up is not in the window");
  assert.equal(result.thresholds[0]?.passed, true);
  assert.equal(result.server?.source, "pid");
});

test("measures a GET without a body without checking responses", async (t) => {
  const { url } = await serve(t, (_request, response) => response.end("a page"));
  const ended = await bench(url, ...short, "--pipelining", "3");
  assert.equal(ended.exitCode, 0, ended.stderr);
  const result = resultOf(ended);
  assert.equal(result.scenario.depth, 3);
  assert.ok(result.summary.bytesPerSecond > 0);
});

test("does not measure a target that is missing, refuses, or does not echo, and reports the reason", async (t) => {
  const { url } = await serve(t, (request, response) => {
    request.resume();
    response.statusCode = request.url === "/gone" ? 410 : 200;
    response.end("something else\nsecond line");
  });
  const refused = await bench(`${url}gone`, ...short);
  assert.equal(refused.exitCode, 3);
  assert.match(refused.stderr, /status-410 .*answered with 410: something else\n/);
  const wrong = await bench(url, "--body", "5", ...short);
  assert.equal(wrong.exitCode, 3);
  assert.match(wrong.stderr, /does not return the body/);
  const nobody = await bench("http://127.0.0.1:1/", ...short);
  assert.equal(nobody.exitCode, 3);
  assert.match(nobody.stderr, /unreachable .*ECONNREFUSED/);
});

test("bodies that change during the run make the Result invalid", async (t) => {
  let requests = 0;
  const { url } = await serve(t, (request, response) => {
    requests += 1;
    request.resume();
    request.on("end", () => response.end(requests % 5 === 0 ? "not what was sent" : readFileSync("LICENSE")));
  });
  const ended = await bench(url, "--body", "@LICENSE", ...short);
  assert.equal(ended.exitCode, 1);
  const result = resultOf(ended);
  assert.equal(result.verdict, "invalid");
  assert.ok(result.messages.corrupt > 0);
  assert.ok((result.errors["wrong-body"] ?? 0) >= result.messages.corrupt);
});

test("a target that ends during the run gives a partial Result with the reason", async (t) => {
  let requests = 0;
  const { url, server } = await serve(t, (request, response) => {
    requests += 1;
    request.pipe(response);
    if (requests === 200) {
      server.close();
      server.closeAllConnections();
    }
  });
  const ended = await bench(
    url,
    "--body",
    "10",
    "--connections",
    "4",
    "--duration",
    "20s",
    "--warmup",
    "0s",
    "--json",
  );
  assert.equal(ended.exitCode, 1, ended.stderr);
  const result = resultOf(ended);
  assert.match(result.partial?.reason ?? "", /target/);
  assert.ok(result.window.seconds < 20);
  assert.ok((result.errors["unreachable"] ?? 0) > 0);
});

test("every wrong option is named at once, with exit code 2", async () => {
  const { exitCode, stderr } = await bench(
    "ws://127.0.0.1:1/",
    "--body",
    "5,6",
    "--pipelining",
    "0",
    "--method",
    "get",
  );
  assert.equal(exitCode, 2);
  for (const problem of [
    /is not an HTTP URL/,
    /--body: one size/,
    /--pipelining: must be/,
    /--method: must be/,
  ]) {
    assert.match(stderr, problem);
  }
});
