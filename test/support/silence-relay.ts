// A TCP relay in front of a WebSocket server that ends connections without a message from the client for a
// while. Pings pass, and count only if requested.
import { connect, createServer, type Socket } from "node:net";
import type { Cleanup } from "./echo-server.ts";

export interface SilenceRelay {
  readonly port: number;
}

interface SilenceOptions {
  readonly silenceMs: number;
  readonly countsPings: boolean;
}

/** The longest control frame of a client; longer data contains a message. */
const controlFrameBytes = 131;

/** Starts one on a free port and stops it after the test. */
export async function startSilenceRelay(
  t: Cleanup,
  targetPort: number,
  options: SilenceOptions,
): Promise<SilenceRelay> {
  const sockets = new Set<Socket>();
  const relay = createServer((client) => {
    const server = connect(targetPort, "127.0.0.1");
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    server.on("data", (chunk) => client.write(chunk));
    watch(client, server, options);
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    relay.close();
    for (const socket of sockets) {
      socket.destroy();
    }
  });
  const address = relay.address();
  return { port: typeof address === "object" && address !== null ? address.port : 0 };
}

function watch(client: Socket, server: Socket, { silenceMs, countsPings }: SilenceOptions): void {
  let lastMs = performance.now();
  let isHandshake = true;
  client.on("data", (chunk) => {
    const isControl = !isHandshake && chunk.length <= controlFrameBytes && ((chunk[0] ?? 0) & 0x0f) >= 8;
    if (countsPings || !isControl) {
      lastMs = performance.now();
    }
    isHandshake = false;
    server.write(chunk);
  });
  const end = (): void => {
    const leftMs = silenceMs - (performance.now() - lastMs);
    if (leftMs <= 0) {
      client.destroy();
    } else {
      timer = setTimeout(expire, leftMs);
    }
  };
  // If this process was late, data that has arrived in the meantime is read first.
  const expire = (): NodeJS.Immediate => setImmediate(end);
  let timer = setTimeout(expire, silenceMs);
  client.on("close", () => clearTimeout(timer));
}
