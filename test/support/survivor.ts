// A server in another process, for hostile tests: a crash must not end the test.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type Cleanup, type Spawned, scrape, spawnServer } from "./echo-server.ts";
import { frame, opcode, openRaw } from "./raw-socket.ts";
import { waitUntil } from "./wait.ts";

export interface Survivor {
  readonly authority: string;
  /** Waits until no connection is open. */
  assertIdle(): Promise<void>;
  /** Fails unless the server runs, echoes to another client, and has closed every other connection. */
  assertAlive(): Promise<void>;
  scrape(): Promise<Record<string, number>>;
  /** Peak of its resident memory, in bytes. */
  peakRssBytes(): number;
  /** SIGTERM; resolves with the exit code. */
  stop(): Spawned["exited"];
}

export async function spawnSurvivor(t: Cleanup, args: readonly string[] = []): Promise<Survivor> {
  const { child, pid, authority, exited, stderr } = await spawnServer(t, args);
  const metrics = (): Promise<Record<string, number>> => scrape(`http://${authority}/metrics`);
  const assertIdle = (): Promise<void> =>
    waitUntil(async () => (await metrics())["echo_connections"] === 0, "all connections have ended");
  return {
    authority,
    assertIdle,
    scrape: metrics,
    async assertAlive() {
      assert.deepEqual([child.exitCode, child.signalCode], [null, null], `the server has ended\n${stderr()}`);
      await assertIdle();
      const raw = await openRaw(t, authority);
      await raw.send(frame(opcode.text, "anybody there?"));
      assert.equal((await raw.readFrame()).payload.toString(), "anybody there?");
      raw.socket.destroy();
    },
    peakRssBytes: () =>
      1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]),
    stop() {
      child.kill("SIGTERM");
      return exited;
    },
  };
}
