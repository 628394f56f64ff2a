// Measures the cost of a server besides messages: a connection that opens and closes, one that is idle, and a start.

import { readdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { formatNumber } from "../../src/lib/format.ts";
import type { Arm } from "../measure/rounds.ts";
import { meanOf, tInterval } from "../result/interval.ts";
import { median } from "../result/stats.ts";
import { startTarget } from "../target/started-target.ts";

/** One cost, measured in a fresh process. */
export interface Cost {
  readonly title: string;
  readonly unit: string;
  measure(command: string): Promise<number>;
}

const startTimeoutMs = 15_000;
/** Closed and opened at the same time. */
const concurrency = 32;
const churnWarmup = 3000;
const churnCount = 6000;
const idleCount = 10_000;
/** Open before the count begins, so that one-off growth is not counted. */
const idleWarmup = 1000;
/** Until memory has settled, in milliseconds. */
const settleMs = 1000;

const handshake =
  "GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/** Close with 1000 and the mask key 0. */
const closeFrame = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

export const costs: readonly Cost[] = [
  { title: "CPU per connection opened and closed", unit: "us", measure: measureChurn },
  {
    title: `memory per idle connection (${formatNumber(idleCount)})`,
    unit: "B",
    measure: measureIdle,
  },
  { title: "from exec to the first 101", unit: "ms", measure: measureStart },
];

/**
 * Measures a cost of every arm, in turns and forwards and backwards, and compares each with the first.
 * @returns a printable summary: medians, and the ratio with its 95 % interval
 */
export async function compareCost(cost: Cost, arms: readonly Arm[], rounds: number): Promise<string> {
  const values: number[][] = arms.map(() => []);
  for (let round = 0; round < rounds; round++) {
    const order = arms.map((_, index) => (index + round) % arms.length);
    for (const index of [...order, ...order.toReversed()]) {
      values[index]?.push(await cost.measure(arms[index]?.target ?? ""));
    }
  }
  const [baseline = []] = values;
  const lines = arms.map(({ name }, index) => {
    const own = values[index] ?? [];
    const shown = `${name.padEnd(16)} ${median(own).toFixed(1).padStart(9)} ${cost.unit}`;
    return index === 0 ? shown : `${shown}   ${describeRatio(baseline, own)}`;
  });
  return `${lines.join("\n")}\n`;
}

// Two measurements of a round lie symmetrically in time, so their means are a pair.
function describeRatio(baseline: readonly number[], own: readonly number[]): string {
  const logs = (all: readonly number[], round: number): number =>
    (Math.log(all[2 * round] ?? Number.NaN) + Math.log(all[2 * round + 1] ?? Number.NaN)) / 2;
  const differences = Array.from(
    { length: baseline.length / 2 },
    (_, round) => logs(own, round) - logs(baseline, round),
  );
  const mean = meanOf(differences.filter(Number.isFinite));
  if (mean === undefined) {
    return `x${(median(own) / median(baseline)).toFixed(2)}`;
  }
  const { low, high } = tInterval(mean);
  const [ratio, from, to] = [mean.mean, low, high].map((log) => Math.exp(log).toFixed(2));
  return `x${ratio} (${from}-${to})`;
}

async function withTarget<T>(command: string, use: (port: number, pid: number) => Promise<T>): Promise<T> {
  const target = await startTarget(command, { path: "/echo", timeoutMs: startTimeoutMs });
  try {
    return await use(Number(new URL(target.url).port), target.pid);
  } finally {
    await target.stop();
  }
}

function measureChurn(command: string): Promise<number> {
  return withTarget(command, async (port, pid) => {
    await churn(port, churnWarmup);
    const before = cpuMicroseconds(pid);
    await churn(port, churnCount);
    return (cpuMicroseconds(pid) - before) / churnCount;
  });
}

function measureIdle(command: string): Promise<number> {
  return withTarget(command, async (port, pid) => {
    const sockets: Socket[] = [];
    const grow = async (count: number): Promise<void> => {
      for (let left = count; left > 0; left -= concurrency) {
        sockets.push(
          ...(await Promise.all(Array.from({ length: Math.min(left, concurrency) }, () => open(port)))),
        );
      }
      await sleep(settleMs);
    };
    try {
      await churn(port, churnWarmup);
      await grow(idleWarmup);
      const before = residentBytes(pid);
      await grow(idleCount);
      return (residentBytes(pid) - before) / idleCount;
    } finally {
      for (const socket of sockets) {
        socket.destroy();
      }
    }
  });
}

async function measureStart(command: string): Promise<number> {
  const startedAt = performance.now();
  return await withTarget(command, async (port) => {
    (await open(port)).destroy();
    return performance.now() - startedAt;
  });
}

async function churn(port: number, count: number): Promise<void> {
  let left = count;
  const work = async (): Promise<void> => {
    while (left-- > 0) {
      const socket = await open(port);
      await new Promise<void>((resolve) => {
        socket.once("close", () => resolve());
        socket.resume().write(closeFrame);
      });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}

let sourceAddress = 0;

/** Opens a WebSocket, from addresses in turns: each has only some 28,000 ports. */
function open(port: number): Promise<Socket> {
  sourceAddress = (sourceAddress + 1) % 200;
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", localAddress: `127.0.0.${sourceAddress + 2}` });
    socket.once("connect", () => socket.write(handshake));
    socket.once("data", () => resolve(socket));
    socket.on("error", reject);
  });
}

function cpuMicroseconds(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce(
    (sum, task) =>
      sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]) / 1000,
    0,
  );
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}
