// Helpers for tests of servers with several workers.
import { connectClient } from "./client.ts";
import type { Cleanup, Spawned } from "./echo-server.ts";

/** The sample that counts text messages. */
export const received = 'echo_messages_received_total{type="text"}';

/** Process ids of all workers so far, including dead ones. */
export function workerPids(server: Pick<Spawned, "log">): number[] {
  return server.log.filter(({ msg }) => msg === "worker ready").map(({ pid }) => Number(pid));
}

/** Connects, has some messages echoed, and disconnects. */
export async function echoSome(
  t: Cleanup,
  server: Spawned,
  connections: number,
  messages: number,
): Promise<void> {
  const clients = await Promise.all(
    Array.from({ length: connections }, () => connectClient(t, `ws://${server.authority}/echo`)),
  );
  for (const { ws, next } of clients) {
    for (let i = 0; i < messages; i++) {
      ws.send("x");
    }
    for (let i = 0; i < messages; i++) {
      await next();
    }
    ws.close();
  }
}
