// Finds the echo servers to compare, and pins each side to its own CPU.

import { execFileSync } from "node:child_process";
import { packageVersion } from "../../src/lib/package.ts";
import type { Arm } from "../measure/rounds.ts";
import { allowedCpus } from "../target/environment.ts";

/** An arm with the version of what it runs on. */
export interface Peer extends Arm {
  readonly version: string;
}

/** Our server's name in reports. */
export const ourServer = "uws-echo";
/** The baseline: a minimal server on the same library. */
export const bareServer = "uWebSockets.js";

/** Servers on runtimes that a machine may lack. */
const otherRuntimes = [
  { name: "Bun", program: "bun", command: "bun bench/peers/bun.js {port}" },
  { name: "Deno", program: "deno", command: "deno run --quiet --allow-net bench/peers/deno.js {port}" },
];

/**
 * The servers that can be started here, ours first. Paths are those of a checkout, from its top folder.
 * @param pin what every command is prefixed with
 * @param onSkip receives the reason why a server is left out
 */
export function findPeers(pin: string, onSkip: (reason: string) => void): Peer[] {
  const ours = `${pin}node dist/src/cli.js --host 127.0.0.1 --port {port} --log-level warn`;
  const peers: Peer[] = [
    { name: ourServer, target: ours, version: packageVersion() },
    {
      name: bareServer,
      target: `${pin}node bench/peers/uws.js {port}`,
      version: packageVersion("uWebSockets.js"),
    },
    { name: "ws", target: `${pin}node bench/peers/ws.js {port}`, version: packageVersion("ws") },
  ];
  for (const { name, program, command } of otherRuntimes) {
    const version = output(program, "--version");
    if (version === undefined) {
      onSkip(`${name} is left out: no ${program} on PATH`);
    } else {
      peers.push({
        name,
        target: `${pin}${command}`,
        version: /\d+\.\d+\.\d+/.exec(version)?.[0] ?? version,
      });
    }
  }
  return peers;
}

/**
 * Keeps this process off one CPU, which is for the server.
 * @returns what to prefix the server's command with; empty when they cannot be pinned apart, and `onSkip` receives the reason
 */
export function pinApart(onSkip: (reason: string) => void): string {
  const cpus = allowedCpus("self") ?? [];
  const server = cpus.at(-1);
  const client = cpus.slice(0, -1);
  if (server === undefined || client.length === 0) {
    onSkip("client and server are not pinned: there is only one CPU");
    return "";
  }
  if (output("taskset", "-a", "-p", "-c", client.join(","), String(process.pid)) === undefined) {
    onSkip("client and server are not pinned: no taskset here");
    return "";
  }
  return `taskset -c ${server} `;
}

/** Returns the output of a program, or undefined if it is missing or fails. */
function output(program: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}
