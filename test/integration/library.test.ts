import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { ConfigError, ListenError, startEchoServer, UwsEchoError } from "../../src/index.ts";
import { connectClient } from "../support/client.ts";
import { scrape, startServer } from "../support/echo-server.ts";

const libraryUrl = new URL("../../dist/src/index.js", import.meta.url).href;

test("starts on a free port, tells its URLs and stats, and stops", async (t) => {
  const server = await startEchoServer();
  assert.equal(server.urls.echo, `ws://127.0.0.1:${server.port}/echo`);
  const { ws, next, closed } = await connectClient(t, server.urls.echo);
  ws.send("hello");
  await next();
  assert.equal((await server.stats())['echo_messages_sent_total{type="text"}'], 1);
  await server.stop();
  assert.equal((await closed).code, 1001);
  await assert.rejects(fetch(server.urls.livez));
});

test("two servers in one process count apart", async (t) => {
  const [one, two] = [await startServer(t), await startServer(t)];
  const { ws, next } = await connectClient(t, one.urls.echo);
  ws.send("hello");
  await next();
  assert.equal((await one.stats())["echo_connections_opened_total"], 1);
  assert.equal((await two.stats())["echo_connections_opened_total"], 0);
});

test("stopping twice is the same as once", async () => {
  const server = await startEchoServer();
  await Promise.all([server.stop(), server.stop()]);
});

test("starting and stopping, or failing to start, leaves nothing behind", () => {
  // In a process of its own: garbage collection is asked for, and nothing else makes timers.
  const script = `
    import { PerformanceObserver } from "node:perf_hooks";
    import { startEchoServer } from ${JSON.stringify(libraryUrl)};
    let observers = 0;
    const { observe, disconnect } = PerformanceObserver.prototype;
    PerformanceObserver.prototype.observe = function (...given) { observers++; return observe.apply(this, given); };
    PerformanceObserver.prototype.disconnect = function () { observers--; return disconnect.apply(this); };
    const cycle = async (port) => {
      const server = await startEchoServer({ port });
      await startEchoServer({ port: server.port }).catch(() => undefined);
      await startEchoServer({ port: 0, adminPort: server.port }).catch(() => undefined);
      await server.stats();
      await server.stop();
    };
    const memory = () => { gc(); gc(); const { heapUsed, external } = process.memoryUsage(); return heapUsed + external; };
    for (let i = 0; i < 20; i++) await cycle(0);
    const before = { memory: memory(), resources: process.getActiveResourcesInfo().length };
    for (let i = 0; i < 60; i++) await cycle(0);
    console.log(JSON.stringify({
      observers,
      resources: process.getActiveResourcesInfo().length - before.resources,
      bytesPerServer: (memory() - before.memory) / 180,
    }));`;
  const output = execFileSync(process.execPath, ["--expose-gc", "--input-type=module", "--eval", script], {
    encoding: "utf8",
    timeout: 120_000,
  });
  const left = JSON.parse(output) as Record<"observers" | "resources" | "bytesPerServer", number>;
  assert.equal(left.observers, 0);
  assert.ok(left.resources <= 0, output);
  // uWebSockets.js keeps an app, some 35 KiB, for as long as the process lives.
  assert.ok(left.bytesPerServer < 80_000, output);
});

test("`await using` stops the server", async () => {
  let url = "";
  {
    await using server = await startEchoServer();
    url = server.urls.livez;
    assert.equal((await fetch(url)).status, 200);
  }
  await assert.rejects(fetch(url));
});

test("a thread may run a server, and ends well once it has stopped it", async () => {
  const script = `
    const { startEchoServer } = await import(${JSON.stringify(libraryUrl)});
    const server = await startEchoServer();
    await (await fetch(server.urls.livez)).text();
    await server.stop();`;
  const thread = new Worker(`(async () => {${script}})()`, { eval: true });
  assert.deepEqual(await once(thread, "exit"), [0]);
});

test("bad options are a ConfigError that lists every problem", async () => {
  await assert.rejects(startEchoServer({ port: 70_000, maxPayload: "huge" }), (error: unknown) => {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.problems.length, 2);
    return true;
  });
  await assert.rejects(startEchoServer({ workers: 2 }), /the library runs in one process/);
});

test("a port in use is a ListenError", async (t) => {
  const server = await startServer(t);
  await assert.rejects(startEchoServer({ port: server.port }), (error: unknown) => {
    assert.ok(error instanceof ListenError && error instanceof UwsEchoError);
    assert.equal(error.code, "ERR_ADDRESS_IN_USE");
    assert.equal((error.cause as NodeJS.ErrnoException).code, "EADDRINUSE");
    assert.doesNotMatch(error.message, /--/, "a program has no flags");
    return true;
  });
});

test("an unknown host name and an address of another machine give different errors", async () => {
  for (const [host, code] of [
    ["no-such-host.invalid", "ERR_HOST_UNKNOWN"],
    ["192.0.2.1", "ERR_ADDRESS_NOT_AVAILABLE"],
  ] as const) {
    await assert.rejects(startEchoServer({ host }), { name: "ListenError", code, listener: "main" });
  }
});

test("the package is imported by its name, with types", (t) => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-user-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "node_modules/@types"), { recursive: true });
  symlinkSync(root, join(folder, "node_modules/uws-echo"));
  symlinkSync(join(root, "node_modules/@types/node"), join(folder, "node_modules/@types/node"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(
    join(folder, "user.mts"),
    'import { startEchoServer } from "uws-echo";\n' +
      'const server = await startEchoServer({ maxPayload: "1MiB" });\n' +
      "const url: string = server.urls.echo;\nconsole.log(url);\nawait server.stop();\n",
  );
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(
    process.execPath,
    [tsc, "--strict", "--module", "nodenext", "--target", "es2023", "--types", "node", "user.mts"],
    {
      cwd: folder,
      encoding: "utf8",
    },
  );
  const output = execFileSync(process.execPath, ["user.mjs"], {
    cwd: folder,
    encoding: "utf8",
    timeout: 20_000,
  });
  assert.match(output, /^ws:\/\/127\.0\.0\.1:\d+\/echo\n$/);
});

test("stats() has the samples of the metrics page, by the same names", async (t) => {
  const server = await startServer(t);
  const page = await scrape(server.urls.metrics);
  const stats = await server.stats();
  const echoNames = (samples: object) => Object.keys(samples).filter((name) => name.startsWith("echo_"));
  assert.deepEqual(echoNames(stats), echoNames(page));
  assert.equal(stats["echo_limit_payload_bytes"], 16 * 2 ** 20);
});
