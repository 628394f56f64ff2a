import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import {
  ConfigError,
  type EchoServerOptions,
  ListenError,
  startEchoServer,
  UwsEchoError,
} from "../../src/index.ts";
import { connectClient } from "../support/client.ts";
import { scrape, startServer } from "../support/echo-server.ts";

const libraryUrl = new URL("../../dist/src/index.js", import.meta.url).href;

test("starts on a free port, returns its URLs and stats, and stops", async (t) => {
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
  // In its own process: garbage collection is requested, and nothing else makes timers.
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
    // What is closed is gone only when the event loop has turned.
    for (let i = 0; i < 500 && process.getActiveResourcesInfo().length > before.resources; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
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
  await assert.rejects(
    startEchoServer({ workers: 2 } as EchoServerOptions),
    /the library runs in one process/,
  );
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

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A folder of somebody who has installed the package. */
function userFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-user-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "node_modules/@types"), { recursive: true });
  symlinkSync(root, join(folder, "node_modules/uws-echo"));
  for (const name of ["@types/node", "ws"]) {
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  }
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  return folder;
}

function runIn(folder: string, ...args: readonly string[]): string {
  return execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8", timeout: 60_000 });
}

test("the package is imported by its name, with types that refuse what no option takes", (t) => {
  const folder = userFolder(t);
  writeFileSync(
    join(folder, "user.mts"),
    `import { startEchoServer, type EchoServerOptions, type ErrorCode } from "uws-echo";
const options: EchoServerOptions = { maxPayload: "1MiB", compression: "shared", subprotocols: ["mqtt"], goodbye: true };
const server = await startEchoServer(options);
const url: string = server.urls.echo;
console.log(url);
await server.stop();
const code: ErrorCode = "ERR_ADDRESS_IN_USE";
export const wrong: EchoServerOptions[] = [
  // @ts-expect-error not one of the choices
  { compression: "zip" },
  // @ts-expect-error a misspelt name
  { maxPayloads: 1 },
  // @ts-expect-error a toggle
  { goodbye: "perhaps" },
  // @ts-expect-error the library runs in one process
  { workers: 2 },
];
// @ts-expect-error not a code
export const unknown: ErrorCode = "ERR_NO_SUCH_CODE"; void code;
`,
  );
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const lib = ["--lib", "es2023,esnext.disposable"];
  runIn(
    folder,
    tsc,
    "--strict",
    "--module",
    "nodenext",
    "--target",
    "es2023",
    ...lib,
    "--types",
    "node",
    "user.mts",
  );
  assert.match(runIn(folder, "user.mjs"), /^ws:\/\/127\.0\.0\.1:\d+\/echo\n$/);
});

test("the example of the library's reference prints the documented output", (t) => {
  const text = readFileSync(join(root, "docs/reference/library.md"), "utf8");
  const [, program = "", printed = ""] = /```js\n(.*?)```\n\n```text\n(.*?)```/s.exec(text) ?? [];
  const folder = userFolder(t);
  writeFileSync(join(folder, "example.js"), program);
  assert.equal(runIn(folder, "example.js"), printed);
});

test("the library's reference names every error code of the library", () => {
  const text = readFileSync(join(root, "docs/reference/library.md"), "utf8");
  const source = readFileSync(join(root, "src/lib/errors.ts"), "utf8");
  const codes = [...source.matchAll(/(?:\/\*\* (.*) \*\/\n\s*)?\| "(ERR_[A-Z_]+)"/g)];
  assert.ok(codes.length > 10);
  const commandLine = ["ERR_UNIT", "ERR_WORKERS_FAILED"];
  for (const [, comment = "", code = ""] of codes) {
    const isOfLibrary = !comment.startsWith("The harness:") && !commandLine.includes(code);
    assert.equal(text.includes(`\`${code}\``), isOfLibrary, code);
  }
});

test("stats() has the samples of the metrics page, by the same names", async (t) => {
  const server = await startServer(t);
  const page = await scrape(server.urls.metrics);
  const stats = await server.stats();
  const echoNames = (samples: object) => Object.keys(samples).filter((name) => name.startsWith("echo_"));
  assert.deepEqual(echoNames(stats), echoNames(page));
  assert.equal(stats["echo_limit_payload_bytes"], 16 * 2 ** 20);
});
