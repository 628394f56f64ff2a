// `npm run bench:capacity`: checks `search` repeatedly against targets of known capacity.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Command } from "commander";
import { formatElapsed, formatNumber } from "../../src/lib/format.ts";
import { parseNumber } from "../../src/lib/units.ts";
import { exitCodes } from "../commands/exit-codes.ts";
import { duration, quantity, readFields, sloSchema, UsageError, whole } from "../commands/option-schemas.ts";
import { act } from "../commands/outcome.ts";
import { formatTable } from "../report/markdown-table.ts";
import { formatShare } from "../report/search/words.ts";
import { type Search, searchSchema } from "../result/search.ts";
import { median } from "../result/stats.ts";

const harness = fileURLToPath(new URL("../cli.js", import.meta.url));
const headings = ["target", "verdict", "holds", "failed at", "of its capacity", "inversions", "took"];
/** How far from the capacity a search may land, and how long it may take. */
const tolerance = 0.05;
const mostMs = 90_000;
/** Mean time between two stalls: about every fifth trial contains one. */
const stallEveryMs = 15_000;

const shape = {
  times: quantity(parseNumber, whole(0, 1000)),
  stallTimes: quantity(parseNumber, whole(0, 1000)),
  service: duration(0.001, 1000),
  slo: sloSchema,
};

const say = (text: string): boolean => process.stderr.write(`${text}\n`);

const command = new Command("bench:capacity")
  .description(
    "searches the capacity of a target that burns a known time for each message, of one that burns half of it, and of " +
      "one that stalls for 2 s at random; exits with 1 when a search is off by more than 5 %, or takes longer than 90 s",
  )
  .option("--times <number>", "searches of each of the two targets that do not stall", "10")
  .option("--stall-times <number>", "searches of the target that stalls", "3")
  .option("--service <time>", "what the first target burns for each message", "100us")
  .option("--slo <conditions>", "objective of the searches", "p99<5ms");
command.action((raw: Record<string, unknown>) => act(command, () => prove(raw)));
await command.parseAsync();

interface Case {
  readonly name: string;
  readonly serviceUs: number;
  readonly stallMs: number;
}

interface Proof {
  readonly target: Case;
  readonly search: Search;
  /** The found load as a share of the capacity; 0 if none was found. */
  readonly share: number;
}

async function prove(raw: Record<string, unknown>): Promise<number> {
  const { values, problems } = readFields(shape, raw);
  const { times = 0, stallTimes = 0, service = 0, slo } = values;
  if (problems.length === 0 && times + stallTimes === 0) {
    problems.push("--times, --stall-times: there is nothing to search");
  }
  if (problems.length > 0 || slo === undefined) {
    throw new UsageError(problems);
  }
  const serviceUs = service * 1000;
  const targets: readonly (readonly [Case, number])[] = [
    [{ name: `${serviceUs} us`, serviceUs, stallMs: 0 }, times],
    [{ name: `${serviceUs / 2} us`, serviceUs: serviceUs / 2, stallMs: 0 }, times],
    [{ name: `${serviceUs} us, stalls of 2 s`, serviceUs, stallMs: 2000 }, stallTimes],
  ];
  const proofs: Proof[] = [];
  for (const [target, count] of targets) {
    for (let time = 1; time <= count; time += 1) {
      const proof = await searchOnce(target, slo.expression);
      say(`${time} of ${count}: ${rowOf(proof).join(", ")}`);
      proofs.push(proof);
    }
  }
  process.stdout.write(`${formatTable(headings, proofs.map(rowOf))}\n\n`);
  const failed = failuresOf(proofs);
  process.stdout.write(failed.length === 0 ? "Every search was right.\n" : `${failed.join("\n")}\n`);
  return failed.length === 0 ? exitCodes.good : exitCodes.notAcceptable;
}

/** One search as a user runs it. */
async function searchOnce(target: Case, slo: string): Promise<Proof> {
  const stalls = target.stallMs > 0 ? ` ${target.stallMs} ${stallEveryMs}` : "";
  const server = `node bench/peers/service-time.js {port} ${target.serviceUs}${stalls}`;
  const args = [harness, "search", server, "--slo", slo, "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 }).catch(
    (error: { readonly code?: unknown; readonly stdout?: string }) => {
      if (error.code !== exitCodes.notAcceptable || error.stdout === undefined) {
        throw error;
      }
      return { stdout: error.stdout };
    },
  );
  const search = searchSchema.parse(JSON.parse(stdout));
  return { target, search, share: ((search.goals[0]?.lower ?? 0) * target.serviceUs) / 1e6 };
}

function rowOf({ target, search, share }: Proof): string[] {
  const [goal] = search.goals;
  const load = (value: number | null | undefined): string =>
    value == null ? "-" : `${formatNumber(value)}/s`;
  return [
    target.name,
    goal?.verdict ?? "",
    load(goal?.lower),
    load(goal?.upper),
    formatShare(share),
    String(goal?.inversions.length ?? 0),
    formatElapsed(search.seconds * 1000),
  ];
}

/** Failures, one sentence each. */
function failuresOf(proofs: readonly Proof[]): string[] {
  const calm = proofs.filter(({ target }) => target.stallMs === 0);
  const stalled = proofs.filter(({ target }) => target.stallMs > 0);
  const off = proofs.filter(({ share }) => Math.abs(share - 1) > tolerance);
  const slow = calm.filter(({ search }) => search.seconds * 1000 > mostMs);
  const medians = [...new Set(calm.map(({ target }) => target.serviceUs))].map((serviceUs) =>
    median(
      calm
        .filter(({ target }) => target.serviceUs === serviceUs)
        .map(({ search }) => search.goals[0]?.lower ?? 0),
    ),
  );
  const [slower, faster] = medians;
  const isDouble =
    slower === undefined || faster === undefined || Math.abs(faster / slower / 2 - 1) <= tolerance;
  return [
    off.length > 0 &&
      `${off.length} of ${proofs.length} searches were off by more than ${formatShare(tolerance)}.`,
    slow.length > 0 && `${slow.length} of ${calm.length} searches took longer than ${formatElapsed(mostMs)}.`,
    !isDouble && "Half the service time did not double the load.",
    stalled.length > 0 &&
      stalled.every(({ search }) => search.goals[0]?.inversions.length === 0) &&
      "No search of the target that stalls reported an inversion.",
  ].filter((sentence) => sentence !== false);
}
