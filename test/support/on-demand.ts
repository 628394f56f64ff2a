// Clients of endpoints on demand: over raw sockets, and for refusals.
import type { EchoServer } from "../../src/index.ts";
import { type Client, connectClient, refusedHandshake } from "./client.ts";
import type { Cleanup } from "./echo-server.ts";
import { connectRaw, type Headers, type HttpHead, handshake, type RawSocket } from "./raw-socket.ts";

export function authorityOf(server: EchoServer): string {
  return `127.0.0.1:${server.port}`;
}

/** Opens a WebSocket on a path over a raw socket. */
export async function openRawAt(
  t: Cleanup,
  server: EchoServer,
  path: string,
  headers: Headers = {},
): Promise<RawSocket & { readonly head: HttpHead }> {
  const raw = await connectRaw(t, authorityOf(server));
  await raw.send(handshake(headers, `GET ${path} HTTP/1.1`));
  const head = await raw.readHead();
  if (head.status !== 101) {
    throw new Error(`${path}: the handshake was answered with ${head.status}`);
  }
  return Object.assign(raw, { head });
}

export function connectAt(
  t: Cleanup,
  server: EchoServer,
  path: string,
  options: Parameters<typeof connectClient>[2] = {},
): Promise<Client> {
  return connectClient(t, `ws://${authorityOf(server)}${path}`, options);
}

export function refusedAt(
  server: EchoServer,
  path: string,
  options: Parameters<typeof refusedHandshake>[1] = {},
): ReturnType<typeof refusedHandshake> {
  return refusedHandshake(`ws://${authorityOf(server)}${path}`, options);
}

/** The texts of the next messages. */
export async function nextTexts(client: Client, count: number): Promise<string[]> {
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    texts.push((await client.next()).data.toString());
  }
  return texts;
}
