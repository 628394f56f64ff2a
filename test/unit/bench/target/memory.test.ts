import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { readKernelMemory, readProcessMemory } from "../../../../bench/target/memory.ts";
import { samplePid } from "../../../../bench/target/process-sampler.ts";
import { waitUntil } from "../../../support/wait.ts";

test("reads a process's resident memory, its private part, and its descriptors", () => {
  const before = readProcessMemory([process.pid]);
  assert.ok((before?.rssBytes ?? 0) > 10_000_000);
  assert.ok((before?.pssBytes ?? 0) > 5_000_000);
  assert.ok((before?.pssBytes ?? 0) <= (before?.rssBytes ?? 0));
  const opened = Array.from({ length: 10 }, () => openSync("/dev/null", "r"));
  assert.ok((readProcessMemory([process.pid])?.descriptors ?? 0) >= (before?.descriptors ?? 0) + 10);
  for (const descriptor of opened) {
    closeSync(descriptor);
  }
});

test("counts touched pages, but not reserved ones", async (t) => {
  const program = `
    const kept = Buffer.alloc(64 * 2 ** 20);
    console.log("reserved");
    process.stdin.once("data", () => { kept.fill(1, 0, 32 * 2 ** 20); console.log("touched"); });`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout.on("data", (text: Buffer) => {
    said += text.toString();
  });
  const pids = [child.pid ?? 0];
  await waitUntil(() => said.includes("reserved"), "memory to be reserved");
  const before = readProcessMemory(pids);
  child.stdin.write("go\n");
  await waitUntil(() => said.includes("touched"), "memory to be touched");
  const grown = (readProcessMemory(pids)?.anonymousBytes ?? 0) - (before?.anonymousBytes ?? 0);
  assert.ok(grown > 30 * 2 ** 20 && grown < 40 * 2 ** 20, `${grown} bytes`);
});

test("a process that has ended has no memory", () => {
  assert.equal(readProcessMemory([4_194_304]), undefined);
});

test("bytes in socket buffers are memory of the kernel", async (t) => {
  const unread = new Set<Socket>();
  const server = createServer((socket) => unread.add(socket.pause()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const client = createConnection(port, "127.0.0.1");
  t.after(() => {
    client.destroy();
    for (const socket of unread) {
      socket.destroy();
    }
    server.close();
  });
  const before = readKernelMemory();
  client.write(Buffer.alloc(8 * 2 ** 20));
  await waitUntil(
    () => (readKernelMemory()?.tcpBytes ?? 0) > (before?.tcpBytes ?? 0) + 128 * 1024,
    "the kernel to hold what nobody reads",
  );
  assert.ok((before?.slabBytes ?? 0) > 2 ** 20);
});

test("a sampler reads memory in detail only on request", async () => {
  assert.equal((await samplePid(process.pid).sample(() => 0))?.memory, undefined);
  const memory = (await samplePid(process.pid, true).sample(() => 0))?.memory;
  assert.ok((memory?.pssBytes ?? 0) > 0);
  assert.ok((memory?.kernel?.slabBytes ?? 0) > 0);
  assert.equal(memory?.heapBytes, null);
});
