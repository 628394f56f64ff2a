import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { snippetsFor } from "../../src/web/snippets/snippets.ts";
import { startServer } from "../support/echo-server.ts";
import { toolTest } from "../support/tools.ts";

const run = promisify(execFile);

function codeOf(url: string, id: string): string {
  return snippetsFor(url).find((snippet) => snippet.id === id)?.code ?? assert.fail(id);
}

test("the Node snippet runs as copied", async (t) => {
  const server = await startServer(t);
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-snippet-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "echo.mjs"), codeOf(server.urls.echo, "node"));
  // Node 20 has WebSocket behind this flag, as the snippet's note says; later ones accept the flag and ignore it.
  const { stdout } = await run(process.execPath, ["--experimental-websocket", "echo.mjs"], {
    cwd: folder,
    timeout: 60_000,
  });
  assert.equal(stdout, "echo: Hello\nclosed: 1000 done\n");
});

toolTest("curl", "the curl snippet runs as copied", async (t) => {
  const server = await startServer(t);
  const { stdout } = await run("sh", ["-c", codeOf(server.urls.echo, "curl")], { timeout: 60_000 });
  assert.match(
    stdout,
    /^HTTP\/1\.1 101 Switching Protocols\r\n[\s\S]*Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i,
  );
  assert.match(stdout, /\r\n\r\nHello$/);
});

test("the harness takes the arguments of its snippet", async (t) => {
  const server = await startServer(t);
  const [, command = ""] = /^npm run bench -- (.*)$/m.exec(codeOf(server.urls.echo, "harness")) ?? [];
  const words = command.replace("--duration 10s", "--duration 1s --warmup 0s --json").split(" ");
  assert.equal(words[0], "run");
  const out = mkdtempSync(join(tmpdir(), "uws-echo-snippet-"));
  t.after(() => rmSync(out, { recursive: true }));
  const { stdout } = await run(
    process.execPath,
    ["dist/bench/cli.js", ...words, "--out", join(out, "result.json")],
    { timeout: 60_000 },
  );
  const result = JSON.parse(stdout) as { messages: { received: number; lost: number } };
  assert.ok(result.messages.received > 0);
  assert.equal(result.messages.lost, 0);
});
