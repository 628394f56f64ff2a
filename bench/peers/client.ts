// `npm run bench:client`: compares what a message costs the harness's generator with what it costs a client in C on
// bare epoll (client.c), in turns on the same target process.

import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Command } from "commander";
import { z } from "zod";
import { formatDurationUs } from "../../src/lib/format.ts";
import { parseNumber } from "../../src/lib/units.ts";
import { exitCodes } from "../commands/exit-codes.ts";
import { quantity, readFields, UsageError, within } from "../commands/option-schemas.ts";
import { act } from "../commands/outcome.ts";
import { measure } from "../measure/measure.ts";
import { formatTable } from "../report/markdown-table.ts";
import { meanOf, tInterval } from "../result/interval.ts";
import { spread } from "../result/stats.ts";
import { samplePid } from "../target/process-sampler.ts";
import { type StartedTarget, startTarget } from "../target/started-target.ts";
import { TargetError } from "../target/target.ts";
import { closedLoads, type NamedLoad } from "./loads.ts";
import { addTimingOptions, readTiming, type Timing } from "./options.ts";
import { bareServer, findPeers, pinApart } from "./servers.ts";

const startTimeoutMs = 15_000;
const source = "bench/peers/client.c";
const path = "/echo";
/** The loads of the smallest payload, which show the cost per message. */
const smallestBytes = 64;

const say = (text: string): boolean => process.stderr.write(`${text}\n`);

const clientSchema = z.object({
  messages: z.number().positive(),
  cpuUs: z.number().positive(),
  p50Us: z.number(),
  p99Us: z.number(),
});

const command = new Command("bench:client")
  .description(
    "measures the generator beside a client in C on epoll: CPU time per message on one target, in turns; needs a C compiler",
  )
  .option(
    "--limit <ratio>",
    "exit with 1 when the generator costs more than this many times the C client",
    "1.4",
  );
addTimingOptions(command).action((raw: Record<string, unknown>) =>
  act(command, () => {
    const { values, problems } = readFields({ limit: quantity(parseNumber, within(1, 1000)) }, raw);
    if (values.limit === undefined) {
      throw new UsageError(problems);
    }
    return measureAll(readTiming(raw), values.limit);
  }),
);
await command.parseAsync();

async function measureAll(timing: Timing, limit: number): Promise<number> {
  const bare = findPeers(pinApart(say), () => undefined).find(({ name }) => name === bareServer);
  if (bare === undefined) {
    throw new TargetError(`no server to measure: ${bareServer} is missing`);
  }
  const folder = mkdtempSync(join(tmpdir(), "bench-client-"));
  const target = await startTarget(bare.target, { path, timeoutMs: startTimeoutMs });
  try {
    const program = compile(folder);
    const rows: string[][] = [];
    let isWithin = true;
    for (const load of closedLoads(timing).filter((each) => payloadOf(each) === smallestBytes)) {
      const costs = await measureLoad(load, timing.rounds, { target, program });
      const ratio = ratioOf(costs);
      isWithin &&= ratio.center <= limit;
      rows.push(rowOf(load.title, costs, ratio));
    }
    process.stdout.write(`${formatTable(["load", "C on epoll", "engine raw", "raw / C (95 %)"], rows, 1)}\n`);
    return isWithin ? exitCodes.good : exitCodes.notAcceptable;
  } finally {
    await target.stop();
    rmSync(folder, { recursive: true });
  }
}

/** @throws TargetError if there is no compiler, or compiling fails */
function compile(folder: string): string {
  const program = join(folder, "client");
  try {
    execFileSync("cc", ["-O2", "-o", program, source], { encoding: "utf8", stdio: "pipe" });
    return program;
  } catch (error) {
    throw new TargetError(
      `cc cannot compile ${source} (is a C compiler installed?): ${(error as Error).message}`,
    );
  }
}

/** CPU time per message in each round, in microseconds. */
interface Costs {
  readonly c: number[];
  readonly raw: number[];
}

interface Measured {
  readonly target: StartedTarget;
  readonly program: string;
}

/** Rounds alternate the order, so that drift of the machine affects both equally. */
async function measureLoad(load: NamedLoad, rounds: number, measured: Measured): Promise<Costs> {
  const costs: Costs = { c: [], raw: [] };
  for (let round = 1; round <= rounds; round += 1) {
    for (const side of round % 2 === 1 ? (["c", "raw"] as const) : (["raw", "c"] as const)) {
      const costUs = side === "c" ? await costOfC(load, measured) : await costOfRaw(load, measured.target);
      say(`${load.title}: round ${round} of ${rounds}, ${side}: ${formatDurationUs(costUs)} per message`);
      costs[side].push(costUs);
    }
  }
  return costs;
}

async function costOfRaw({ title, scenario }: NamedLoad, { url, pid }: StartedTarget): Promise<number> {
  const endpoint = { ...scenario.endpoint, url };
  const outcome = await measure({ ...scenario, endpoint }, { sampler: samplePid(pid) });
  const problems = outcome.kind === "nothing" ? [outcome.reason] : outcome.result.failures;
  if (outcome.kind === "nothing" || problems.length > 0) {
    throw new TargetError(`${title}: ${problems.join("; ")}`);
  }
  return outcome.result.client.cpuUsPerMessage ?? Number.NaN;
}

async function costOfC(load: NamedLoad, { target, program }: Measured): Promise<number> {
  const { scenario } = load;
  const { connections, loop, warmupMs, durationMs } = scenario;
  const depth = loop.kind === "closed" ? loop.depth : 1;
  const args = [new URL(target.url).port, path, connections, depth, payloadOf(load), warmupMs, durationMs];
  const timeout = warmupMs + durationMs + startTimeoutMs;
  const { stdout } = await promisify(execFile)(program, args.map(String), { timeout });
  const { cpuUs, messages } = clientSchema.parse(JSON.parse(stdout));
  return cpuUs / messages;
}

function payloadOf({ scenario }: NamedLoad): number {
  return scenario.endpoint.payloads[0]?.length ?? 0;
}

interface Ratio {
  readonly center: number;
  readonly low: number;
  readonly high: number;
}

/** From the rounds' ratios; without an interval when there is one round. */
function ratioOf({ c, raw }: Costs): Ratio {
  const logs = raw.map((costUs, round) => Math.log(costUs / (c[round] ?? Number.NaN)));
  const mean = meanOf(logs);
  const { center, low, high } =
    mean === undefined ? { center: logs[0] ?? 0, low: 0, high: 0 } : tInterval(mean);
  return mean === undefined
    ? { center: Math.exp(center), low: 0, high: Number.POSITIVE_INFINITY }
    : { center: Math.exp(center), low: Math.exp(low), high: Math.exp(high) };
}

function rowOf(title: string, { c, raw }: Costs, { center, low, high }: Ratio): string[] {
  const cost = (values: readonly number[]): string => {
    const { median, min, max } = spread(values);
    return `${formatDurationUs(median)} (${formatDurationUs(min)} to ${formatDurationUs(max)})`;
  };
  const interval = Number.isFinite(high) ? ` (${low.toFixed(2)} to ${high.toFixed(2)})` : "";
  return [title, cost(c), cost(raw), `${center.toFixed(2)}${interval}`];
}
