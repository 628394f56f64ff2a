// Attacks with frames and requests: random mutations, and compression bombs.

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { deflateRawSync, constants as zlib } from "node:zlib";
import fc from "fast-check";
import { maskedFrame } from "../support/client.ts";
import { type Attack, dial, miB, pour, upgrade, upload, withSockets } from "./attack.ts";

/** Fixed, so that a failure can be reproduced. */
const seed = 11;
const mutants = 3000;
const opcodes = [0, 1, 2, 3, 7, 8, 9, 10, 11, 15];

const frame = fc
  .tuple(fc.constantFrom(...opcodes), fc.uint8Array({ maxLength: 300 }))
  .map(([opcode, payload]) => maskedFrame(opcode, payload));

const request = fc
  .tuple(
    fc.constantFrom("GET", "POST", "HEAD", "PUT", "get"),
    fc.constantFrom("/echo", "/", "/livez", "/inspect", "/sse?interval=1ms", "/delay/1ms", "/%00", "//"),
    fc.constantFrom("", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n"),
    fc.uint8Array({ maxLength: 100 }),
  )
  .map(([method, path, header, body]) =>
    Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: x\r\n${header}\r\n`), body]),
  );

/** Several units in a row, with some bytes changed, removed or inserted. */
function mutated(unit: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const change = fc.record({
    at: fc.double({ min: 0, max: 0.999, noNaN: true }),
    kind: fc.constantFrom("set", "remove", "insert"),
    byte: fc.nat(255),
  });
  return fc
    .tuple(fc.array(unit, { minLength: 1, maxLength: 5 }), fc.array(change, { maxLength: 6 }))
    .map(([units, changes]) => {
      const bytes = [...Buffer.concat(units)];
      for (const { at, kind, byte } of changes) {
        const position = Math.floor(at * bytes.length);
        bytes.splice(position, kind === "insert" ? 0 : 1, ...(kind === "remove" ? [] : [byte]));
      }
      return Buffer.from(bytes);
    });
}

async function send(port: number, all: readonly Buffer[], opening: string): Promise<void> {
  const waiting = [...all];
  const work = async (): Promise<void> => {
    for (let bytes = waiting.pop(); bytes !== undefined; bytes = waiting.pop()) {
      const socket = await dial(port);
      socket.resume();
      if (opening !== "") {
        socket.write(opening);
        await Promise.race([once(socket, "data"), once(socket, "close")]);
      }
      socket.end(bytes);
      await Promise.race([once(socket, "close"), sleep(20)]);
      socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: 20 }, work));
}

/** A message of zeros as permessage-deflate sends it, in a frame with RSV1. */
function bomb(bytes: number): Buffer {
  const compressed = deflateRawSync(Buffer.alloc(bytes), { finishFlush: zlib.Z_SYNC_FLUSH });
  return maskedFrame(0x42, compressed.subarray(0, -4));
}

const deflateUpgrade = upgrade.replace(
  "\r\n\r\n",
  "\r\nSec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n\r\n",
);

export const frameAttacks: readonly Attack[] = [
  {
    name: `${mutants} connections with mutated frames`,
    run: ({ port }) => send(port, fc.sample(mutated(frame), { numRuns: mutants, seed }), upgrade),
  },
  {
    name: `${mutants} connections with mutated frames, compression on`,
    args: ["--compression", "shared"],
    run: ({ port }) =>
      send(port, fc.sample(mutated(frame), { numRuns: mutants, seed: seed + 1 }), deflateUpgrade),
  },
  {
    name: `${mutants} connections with mutated requests`,
    run: ({ port }) => send(port, fc.sample(mutated(request), { numRuns: mutants, seed }), ""),
  },
  {
    name: "compression bombs of the largest message from 8 clients, with --max-receive-rate",
    args: ["--compression", "shared", "--max-receive-rate", "4MiB"],
    run({ port }) {
      const bytes = bomb(miB);
      return withSockets(port, 8, async (socket) => {
        socket.write(deflateUpgrade);
        await once(socket.resume(), "data");
        await pour(socket, bytes, 2000, 6000);
        if (!socket.destroyed) {
          await Promise.race([once(socket, "close"), sleep(5000)]);
        }
        if (!socket.closed) {
          throw new Error("a client over its rate is still connected");
        }
      });
    },
  },
  {
    name: "compression bombs beyond the largest message from 20 clients",
    args: ["--compression", "shared"],
    run({ port }) {
      const bytes = bomb(64 * miB);
      return withSockets(port, 20, async (socket) => {
        socket.write(deflateUpgrade);
        await once(socket.resume(), "data");
        socket.write(bytes);
        await Promise.race([once(socket, "close"), sleep(10_000)]);
        if (!socket.closed) {
          throw new Error("a client with a bomb is still connected");
        }
      });
    },
  },
  {
    name: "300 requests and 300 uploads that arrive byte by byte",
    run: ({ port }) =>
      withSockets(port, 600, async (socket, i) => {
        const bytes =
          i % 2 === 0 ? `GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ${"y".repeat(200)}` : `${upload}ffff\r\n`;
        const until = performance.now() + 8000;
        socket.write(i % 2 === 0 ? bytes.slice(0, 30) : bytes);
        while (performance.now() < until && !socket.destroyed) {
          socket.write("y");
          await sleep(200);
        }
      }),
  },
];
