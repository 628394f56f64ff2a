// The C client that the generator is held against: it has to do the same work, or the comparison means nothing.

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type ClientMessage, echo, startMisbehavingServer } from "../../../support/misbehaving-server.ts";

const source = fileURLToPath(new URL("../../../../bench/peers/client.c", import.meta.url));
const isMissing = spawnSync("cc", ["--version"]).status !== 0;

test("the C client compiles without a warning, and keeps its depth of messages in flight", {
  skip: isMissing && "no C compiler",
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "c-client-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, "client");
  const compiled = spawnSync("cc", ["-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source], {
    encoding: "utf8",
  });
  assert.equal(compiled.status, 0, compiled.stderr);
  for (const payloadBytes of [0, 64, 200, 70_000]) {
    let received = 0;
    const sizes = new Set<number>();
    const reply = (message: ClientMessage): Buffer => {
      received += 1;
      sizes.add(message.payload.length);
      return echo(message);
    };
    const { port } = await startMisbehavingServer(t, { reply });
    const args = [port, "/echo", 2, 4, payloadBytes, 50, 300].map(String);
    const { stdout } = await promisify(execFile)(program, args, { timeout: 30_000 });
    const { messages, cpuUs, p50Us, p99Us } = JSON.parse(stdout) as Record<string, number>;
    assert.deepEqual([...sizes], [payloadBytes]);
    assert.ok((messages ?? 0) > 0 && (messages ?? 0) <= received, `${messages} of ${received}`);
    assert.ok((cpuUs ?? 0) > 0 && (p50Us ?? 0) > 0 && (p99Us ?? 0) >= (p50Us ?? 0), stdout);
  }
});
