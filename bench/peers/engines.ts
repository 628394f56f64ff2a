// `npm run bench:engines`: compares what a message costs the generator with engine raw and with engine ws, in turns on
// the same target process.

import { Command } from "commander";
import { formatDurationUs, formatNumber, formatPercent } from "../../src/lib/format.ts";
import { exitCodes } from "../commands/exit-codes.ts";
import { act } from "../commands/outcome.ts";
import type { EngineName } from "../engine/connection.ts";
import { measure } from "../measure/measure.ts";
import { formatTable } from "../report/markdown-table.ts";
import type { Result } from "../result/schema.ts";
import { spread } from "../result/stats.ts";
import { samplePid } from "../target/process-sampler.ts";
import { type StartedTarget, startTarget } from "../target/started-target.ts";
import { TargetError } from "../target/target.ts";
import { closedLoads, type NamedLoad } from "./loads.ts";
import { addTimingOptions, readTiming, type Timing } from "./options.ts";
import { bareServer, findPeers, pinApart } from "./servers.ts";

const engineNames: readonly EngineName[] = ["raw", "ws"];
/** Beyond this size copying dominates, which costs both the same. */
const largestBytes = 64 * 1024;
const startTimeoutMs = 15_000;
const headings = [
  "load",
  "engine",
  "client CPU per message",
  "share of ws",
  "messages/s",
  "client CPU",
  "server CPU",
];

const say = (text: string): boolean => process.stderr.write(`${text}\n`);

const command = new Command("bench:engines").description(
  "measures the generator: CPU time per message of the engines raw and ws on one target, in turns",
);
addTimingOptions(command).action((raw: Record<string, unknown>) =>
  act(command, () => measureAll(readTiming(raw))),
);
await command.parseAsync();

async function measureAll(timing: Timing): Promise<number> {
  const bare = findPeers(pinApart(say), () => undefined).find(({ name }) => name === bareServer);
  if (bare === undefined) {
    throw new TargetError(`no server to measure: ${bareServer} is missing`);
  }
  const target = await startTarget(bare.target, { path: "/", timeoutMs: startTimeoutMs });
  try {
    const loads = closedLoads(timing).filter(
      ({ scenario }) => (scenario.endpoint.payloads[0]?.length ?? 0) <= largestBytes,
    );
    const rows: string[][] = [];
    for (const load of loads) {
      rows.push(...rowsOf(load.title, await measureLoad(load, timing.rounds, target)));
    }
    process.stdout.write(`${formatTable(headings, rows)}\n`);
    return exitCodes.good;
  } finally {
    await target.stop();
  }
}

/** Each engine's Results; rounds alternate the order, so that drift of the machine affects both equally. */
async function measureLoad(
  { title, scenario }: NamedLoad,
  rounds: number,
  target: StartedTarget,
): Promise<Map<EngineName, Result[]>> {
  const results = new Map<EngineName, Result[]>(engineNames.map((engine) => [engine, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const engine of round % 2 === 0 ? engineNames : engineNames.toReversed()) {
      say(`${title}: round ${round + 1} of ${rounds}, ${engine}`);
      const outcome = await measure(
        { ...scenario, engine, endpoint: { ...scenario.endpoint, url: target.url } },
        { sampler: samplePid(target.pid) },
      );
      const problems = outcome.kind === "nothing" ? [outcome.reason] : outcome.result.failures;
      if (outcome.kind === "nothing" || problems.length > 0) {
        throw new TargetError(`${title} with ${engine}: ${problems.join("; ")}`);
      }
      results.get(engine)?.push(outcome.result);
    }
  }
  return results;
}

function rowsOf(title: string, results: ReadonlyMap<EngineName, readonly Result[]>): string[][] {
  const cost = (engine: EngineName) =>
    spread((results.get(engine) ?? []).map(({ client }) => client.cpuUsPerMessage ?? Number.NaN));
  const median = (engine: EngineName, read: (result: Result) => number): number =>
    spread((results.get(engine) ?? []).map(read)).median;
  return engineNames.map((engine) => {
    const { median: us, min, max } = cost(engine);
    return [
      title,
      engine,
      `${formatDurationUs(us)} (${formatDurationUs(min)} to ${formatDurationUs(max)})`,
      (us / cost("ws").median).toFixed(2),
      formatNumber(median(engine, ({ summary }) => summary.messagesPerSecond)),
      formatPercent(median(engine, ({ client }) => client.cpuPercent)),
      formatPercent(median(engine, ({ server }) => server?.cpuPercent ?? 0)),
    ];
  });
}
