import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ConfigError, ListenError, startEchoServer } from "../../src/index.ts";
import { connectClient } from "../support/client.ts";
import { startServer } from "../support/echo-server.ts";

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

test("bad options are a ConfigError that lists every problem", async () => {
  await assert.rejects(startEchoServer({ port: 70_000, maxPayload: "huge" }), (error: unknown) => {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.problems.length, 2);
    return true;
  });
  await assert.rejects(startEchoServer({ workers: 2 }), /a program has one process/);
});

test("a port in use is a ListenError", async (t) => {
  const server = await startServer(t);
  await assert.rejects(startEchoServer({ port: server.port }), ListenError);
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
