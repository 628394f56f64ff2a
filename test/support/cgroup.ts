// Starts a server in a cgroup with a memory limit, if this machine allows it.
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { type Cleanup, type Spawned, spawnServer } from "./echo-server.ts";

let count = 0;

/** Starts the command in a cgroup of `maxBytes`, version 2 or 1. `isConfined` is false if none can be created. */
export async function spawnConfined(
  t: Cleanup,
  maxBytes: number,
  args: readonly string[] = [],
): Promise<Spawned & { readonly isConfined: boolean }> {
  const path = makeCgroup(maxBytes);
  if (path === undefined) {
    return { ...(await spawnServer(t, args)), isConfined: false };
  }
  const server = await spawnServer(t, args, { before: `echo $$ > ${path}/cgroup.procs` });
  // Runs after the server is gone: actions after a test run in the order of their registration.
  t.after(() => rmdirSync(path));
  return { ...server, isConfined: true };
}

function makeCgroup(maxBytes: number): string | undefined {
  const isV2 = existsSync("/sys/fs/cgroup/cgroup.controllers");
  const root = isV2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
  const path = `${root}/uws-echo-test-${process.pid}-${count++}`;
  try {
    mkdirSync(path);
  } catch {
    return undefined;
  }
  try {
    writeFileSync(`${path}/${isV2 ? "memory.max" : "memory.limit_in_bytes"}`, String(maxBytes));
    return path;
  } catch {
    rmdirSync(path);
    return undefined;
  }
}
