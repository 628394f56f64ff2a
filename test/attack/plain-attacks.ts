// Attacks of one hostile client over plain sockets.
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { maskedFrame } from "../support/client.ts";
import { type Attack, chunk, dial, miB, pour, upgrade, upload, withSockets } from "./attack.ts";

/** Opens WebSockets, one after the other; throws if one is refused. */
async function openWebSockets(port: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const socket = await dial(port, "127.0.0.3");
    socket.write(upgrade);
    const answer = await Promise.race([once(socket.resume(), "data"), sleep(5000)]);
    if (!String(answer).startsWith("HTTP/1.1 101")) {
      throw new Error(`polite client ${i + 1} of ${count} did not get in`);
    }
  }
}

export const plainAttacks: readonly Attack[] = [
  {
    name: "one POST /echo of 400 MiB whose answer is not read",
    run: ({ port }) =>
      withSockets(port, 1, async (socket) => {
        socket.write(upload);
        await pour(socket, chunk(Buffer.alloc(miB)), 400, 10_000);
      }),
  },
  {
    name: "300 POST /echo of 2 MiB whose answers are not read",
    run: ({ port }) =>
      withSockets(port, 300, async (socket) => {
        socket.write(upload);
        await pour(socket, chunk(Buffer.alloc(64 * 1024)), 32, 8000);
      }),
  },
  {
    name: "20,000 pipelined GET / whose answers are not read",
    run: ({ port }) =>
      withSockets(port, 1, async (socket) => {
        await pour(socket, Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100)), 200, 8000);
        await sleep(2000);
      }),
  },
  {
    name: "64 KiB of chunks of one byte behind 7.5 MiB that are not read",
    run: ({ port }) =>
      withSockets(port, 1, async (socket) => {
        socket.write(upload);
        await pour(socket, chunk(Buffer.alloc(miB / 2)), 15, 5000);
        await pour(socket, Buffer.from("1\r\nx\r\n".repeat(1000)), 11, 8000);
        await sleep(2000);
      }),
  },
  {
    name: "4,000 scrapes at once, on each port",
    async run({ adminPort, port }) {
      const ask = "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n";
      for (const at of [adminPort, port]) {
        await withSockets(at, 4000, async (socket) => {
          socket.write(ask);
          await sleep(3000);
        }).catch(() => undefined);
      }
    },
  },
  {
    name: "200 clients that each leave the largest message unfinished",
    async run({ port, adminPort }) {
      const page = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
      const limit = Number(/^echo_limit_payload_bytes (\d+)$/m.exec(page)?.[1]);
      await withSockets(port, 200, async (socket) => {
        socket.write(upgrade);
        const head = Buffer.alloc(14);
        head.set([0x82, 0xff]);
        head.writeBigUInt64BE(BigInt(limit), 2);
        await sleep(200);
        socket.write(head);
        await pour(socket, Buffer.alloc(32 * 1024), Math.floor(limit / (32 * 1024)) - 1, 10_000);
      });
    },
  },
  {
    name: "30 clients that send 30 MiB each and read nothing",
    run: ({ port }) =>
      withSockets(port, 30, async (socket) => {
        socket.write(upgrade);
        await sleep(200);
        await pour(socket, maskedFrame(2, Buffer.alloc(64 * 1024)), 480, 10_000);
      }),
  },
  {
    name: "1,000,000 pings whose pongs are not read",
    run: ({ port }) =>
      withSockets(port, 1, async (socket) => {
        socket.write(upgrade);
        await sleep(200);
        const pings = Buffer.concat(Array.from({ length: 1000 }, () => maskedFrame(9, Buffer.alloc(125))));
        await pour(socket, pings, 1000, 10_000);
      }),
  },
  {
    name: "20,000 connections that are reset after the handshake",
    async run({ port }) {
      for (let i = 0; i < 200; i++) {
        const sockets = await Promise.all(Array.from({ length: 100 }, () => dial(port)));
        for (const socket of sockets) {
          socket.write(upgrade);
          socket.resetAndDestroy();
        }
      }
    },
  },
  {
    name: "300 idle connections to the admin port, with 256 descriptors",
    before: "ulimit -n 256",
    async run({ adminPort }) {
      const sockets = Array.from({ length: 300 }, () =>
        connect(adminPort, "127.0.0.1").on("error", () => undefined),
      );
      await sleep(3000);
      for (const socket of sockets) {
        socket.destroy();
      }
    },
  },
  {
    name: "224 connections of one address that keep asking over HTTP, with 256 descriptors",
    before: "ulimit -n 256",
    async run({ port }) {
      const sockets = Array.from({ length: 224 }, () =>
        connect(port, "127.0.0.1").on("error", () => undefined),
      );
      for (const socket of sockets) {
        socket.resume();
      }
      for (let second = 0; second < 16; second++) {
        for (const socket of sockets.filter(({ writable }) => writable)) {
          socket.write("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        await sleep(1000);
      }
      try {
        await openWebSockets(port, 35);
      } finally {
        for (const socket of sockets) {
          socket.destroy();
        }
      }
    },
  },
  {
    name: "one address that sends handshakes without end, with rates for all and for each address",
    args: ["--handshake-rate", "50", "--handshake-rate-per-ip", "10"],
    async run({ port }) {
      let isOver = false;
      const hammer = async (): Promise<void> => {
        while (!isOver) {
          const socket = await dial(port, "127.0.0.2");
          socket.write(upgrade);
          await Promise.race([once(socket.resume(), "data"), sleep(1000)]);
          socket.destroy();
        }
      };
      const hammers = Array.from({ length: 16 }, hammer);
      await sleep(1000);
      try {
        await openWebSockets(port, 8);
      } finally {
        isOver = true;
        await Promise.all(hammers);
      }
    },
  },
  {
    name: "one of two workers stopped, and replaced",
    args: ["--workers", "2", "--worker-timeout", "4s"],
    mayStopNeighbour: true,
    async run({ pid }) {
      const children = (): string[] =>
        readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
      const [first = "0"] = children();
      process.kill(Number(first), "SIGSTOP");
      const deadline = performance.now() + 20_000;
      while ((children().includes(first) || children().length < 2) && performance.now() < deadline) {
        await sleep(100);
      }
      await sleep(2000);
      if (readdirSync("/proc").includes(first)) {
        throw new Error("the stopped worker is still running");
      }
    },
  },
];
