// Sessions on real sockets without worker threads, against small servers that a test writes.

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { type WebSocket, WebSocketServer } from "ws";
import { runScenario, type SessionOptions, type SessionOutcome } from "../../bench/measure/session.ts";
import type { Population } from "../../bench/scenario/population.ts";
import { steadyPopulation } from "../../bench/scenario/population.ts";
import { defaultGuards, type Group, type Scenario } from "../../bench/scenario/scenario.ts";
import type { Traffic } from "../../bench/scenario/traffic.ts";
import { realThreads } from "./real-load.ts";

/** A server that lives as long as the test. `serve` is called with each connection, and all that are open. */
export async function startServer(
  t: TestContext,
  serve: (socket: WebSocket, all: ReadonlySet<WebSocket>) => void,
): Promise<string> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  server.on("connection", (socket) => serve(socket, server.clients));
  return listen(t, server);
}

/** Waits until a server listens, and ends it after the test. Returns its URL. */
export async function listen(t: TestContext, server: WebSocketServer): Promise<string> {
  await once(server, "listening");
  t.after(async () => {
    for (const client of server.clients) {
      client.terminate();
    }
    server.close();
    await once(server, "close");
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

export function groupOf(
  name: string,
  connections: number,
  traffic: Traffic,
  changes: Partial<Population> = {},
): Group {
  return { name, population: steadyPopulation(connections, changes), traffic };
}

/** A session of one step. */
export function sessionWith(
  url: string,
  groups: readonly Group[],
  durationMs = 300,
  changes: Partial<Scenario> = {},
): Scenario {
  return {
    target: {
      url,
      headers: [],
      subprotocols: [],
      origin: undefined,
      deflate: false,
      timeoutMs: 2000,
      engine: "raw",
    },
    groups,
    timeline: [{ name: "only", durationMs, measured: true, abortIf: [] }],
    guards: defaultGuards(100),
    resources: { threads: 1, seed: 1, part: undefined },
    ...changes,
  };
}

export function runHere(scenario: Scenario, options: SessionOptions = {}): Promise<SessionOutcome> {
  return runScenario(scenario, { ...options, world: realThreads });
}
