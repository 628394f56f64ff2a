// Servers with faults of a known size, to test the harness.

import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import type { Cleanup } from "./echo-server.ts";
import { frame, startMisbehavingServer, switchingProtocols } from "./misbehaving-server.ts";
import { inTime } from "./wait.ts";

export interface FaultyServer {
  readonly url: string;
  /** The process to look at. */
  readonly pid: number;
}

type Growth =
  /** Per connection ever opened. */
  | { readonly kind: "each"; readonly bytes: number }
  | { readonly kind: "leak"; readonly bytesPerSecond: number }
  /** A leak that is released at an interval. */
  | { readonly kind: "saw"; readonly bytesPerSecond: number; readonly seconds: number };

/**
 * An echo server whose memory is measured in another process, because the memory that Node uses for sockets is neither
 * small nor known.
 */
export async function startKeepingServer(t: Cleanup, growth: Growth): Promise<FaultyServer> {
  const { kind, ...amounts } = growth;
  const child = spawn(
    process.execPath,
    [
      "--expose-gc",
      "--max-semi-space-size=1",
      fileURLToPath(new URL("keeper.js", import.meta.url)),
      kind,
      ...Object.values(amounts).map(String),
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  t.after(async () => {
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  });
  await inTime(once(child.stdout, "data"), "the keeper to be ready");
  const { url } = await startMisbehavingServer(t, {
    handshake: (accept) => {
      if (kind === "each") {
        child.stdin.write(".");
      }
      return switchingProtocols(accept);
    },
    onControl: answerPings,
  });
  return { url, pid: child.pid ?? 0 };
}

function answerPings(opcode: number, payload: Buffer, socket: Socket): void {
  if (opcode === 9) {
    socket.write(frame(10, payload));
  } else if (opcode === 8) {
    socket.end(frame(8, payload));
  }
}

/** A server in its own process that at SIGTERM leaves this many messages without an echo, then closes with 1001. */
export async function startDroppingServer(t: Cleanup, drops: number): Promise<FaultyServer> {
  const program = fileURLToPath(new URL("dropping-server.js", import.meta.url));
  const child = spawn(process.execPath, [program, String(drops)], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    }
  });
  const [port] = (await inTime(once(child.stdout, "data"), "the server to listen")) as [Buffer];
  return { url: `ws://127.0.0.1:${Number(port)}/`, pid: child.pid ?? 0 };
}
