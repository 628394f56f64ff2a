// Attacks of hostile, idle and busy clients over TLS.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type TLSSocket } from "node:tls";
import { WebSocket } from "ws";
import { scrape } from "../support/echo-server.ts";
import { waitUntil } from "../support/wait.ts";
import { type Attack, withSockets } from "./attack.ts";
import type { Boxed } from "./box.ts";

const attackMs = 8000;

function dialTls(port: number): TLSSocket {
  return connect({ host: "127.0.0.1", port, rejectUnauthorized: false }).on("error", () => undefined);
}

/** Waits until the handshake is done or refused. */
function settled(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 2000);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    socket.once("secureConnect", done).once("close", done);
  });
}

/** Clients that finish one handshake after another. */
async function shakeHands(port: number, clients: number): Promise<void> {
  const until = performance.now() + attackMs;
  const shake = async (): Promise<void> => {
    while (performance.now() < until) {
      const socket = dialTls(port);
      await settled(socket);
      socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: clients }, shake));
}

/** Keeps this many messages in flight for some seconds. Throws if the connection ends or an echo differs from its message. */
async function keepBusy(port: number, bytes: number, inFlight: number): Promise<void> {
  const ws = new WebSocket(`wss://127.0.0.1:${port}/echo`, {
    perMessageDeflate: false,
    rejectUnauthorized: false,
  });
  const message = randomBytes(bytes);
  let echoes = 0;
  let problem = "";
  ws.on("error", (error) => {
    problem ||= error.message;
  });
  ws.on("close", (code) => {
    problem ||= `closed with ${code}`;
  });
  ws.on("message", (echo) => {
    echoes++;
    if (!message.equals(echo as Buffer)) {
      problem ||= "an echo differs";
    }
    ws.send(message);
  });
  await once(ws, "open");
  for (let i = 0; i < inFlight; i++) {
    ws.send(message);
  }
  await sleep(attackMs);
  const found = echoes === 0 ? "no echo came" : problem;
  ws.terminate();
  if (found !== "") {
    throw new Error(`${inFlight} messages of ${bytes} bytes in flight: ${found} after ${echoes} echoes`);
  }
}

const metricsOf = ({ adminPort }: Boxed): Promise<Record<string, number>> =>
  scrape(`http://127.0.0.1:${adminPort}/metrics`);

export const tlsAttacks: readonly Attack[] = [
  {
    name: "TLS handshakes as fast as 30 clients can",
    isTls: true,
    run: ({ port }) => shakeHands(port, 30),
  },
  {
    name: "TLS handshakes as fast as 30 clients can, with --handshake-rate 50",
    isTls: true,
    args: ["--handshake-rate", "50"],
    async run(server) {
      await shakeHands(server.port, 30);
      const refused = (await metricsOf(server))['echo_tls_failures_total{reason="rate"}'] ?? 0;
      if (refused === 0) {
        throw new Error("no handshake was refused");
      }
      await sleep(1500); // until the next client gets a token
    },
  },
  {
    name: "1,000 silent TCP connections to the TLS port",
    isTls: true,
    args: ["--tls-handshake-timeout", "3s"],
    async run(server) {
      await withSockets(server.port, 1000, () => sleep(6000));
      await waitUntil(
        async () => ((await metricsOf(server))['echo_tls_failures_total{reason="timeout"}'] ?? 0) > 0,
        "silent connections to be dropped",
      );
    },
  },
  {
    name: "500 TLS clients that send nothing after their handshake",
    isTls: true,
    args: ["--tls-handshake-timeout", "3s"],
    async run(server) {
      const sockets: TLSSocket[] = [];
      for (let i = 0; i < 50; i++) {
        const some = Array.from({ length: 10 }, () => dialTls(server.port));
        await Promise.all(some.map(settled));
        sockets.push(...some);
      }
      await waitUntil(
        () => sockets.every((each) => each.closed || each.readableEnded),
        "them to be dropped",
        30_000,
      );
      for (const socket of sockets) {
        socket.destroy();
      }
    },
  },
  {
    name: "bytes that are not TLS, on 500 connections",
    isTls: true,
    run: ({ port }) =>
      withSockets(port, 500, async (socket) => {
        socket.write(randomBytes(512));
        await sleep(2000);
      }),
  },
  {
    name: "TLS clients with 4 MiB and more in flight, which are never cut",
    isTls: true,
    async run({ port }) {
      await Promise.all([
        keepBusy(port, 64 * 1024, 64),
        keepBusy(port, 1024 * 1024, 4),
        keepBusy(port, 1000, 1000),
      ]);
    },
  },
  {
    name: "30 TLS clients that send and read nothing",
    isTls: true,
    async run({ port }) {
      const clients = await Promise.all(
        Array.from({ length: 30 }, async () => {
          const ws = new WebSocket(`wss://127.0.0.1:${port}/echo`, {
            perMessageDeflate: false,
            rejectUnauthorized: false,
          }).on("error", () => undefined);
          await once(ws, "open");
          ws.pause();
          return ws;
        }),
      );
      const until = performance.now() + attackMs;
      while (performance.now() < until) {
        for (const ws of clients.filter((each) => each.bufferedAmount < 1024 * 1024)) {
          ws.send(Buffer.alloc(64 * 1024));
        }
        await sleep(5);
      }
      for (const ws of clients) {
        ws.terminate();
      }
    },
  },
];
