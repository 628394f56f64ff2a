// `npm run bench:peers`: compares our server with other echo servers over a matrix of loads, and publishes a folder.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { tellProgress } from "../commands/compare-progress.ts";
import { exitCodes } from "../commands/exit-codes.ts";
import { UsageError } from "../commands/option-schemas.ts";
import { act } from "../commands/outcome.ts";
import { compareArms } from "../measure/compare.ts";
import { isAcceptable } from "../result/comparison.ts";
import type { Result } from "../result/schema.ts";
import { closedLoads, openLoad } from "./loads.ts";
import { addTimingOptions, judging, readTiming, type Timing } from "./options.ts";
import { type Measured, publish } from "./publish.ts";
import { findPeers, pinApart } from "./servers.ts";

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const command = new Command("bench:peers")
  .description(
    "measures uws-echo beside other echo servers and writes a folder with Results, plots and an index",
  )
  .option(
    "-o, --out <folder>",
    "new folder",
    join("bench", "results", new Date().toISOString().slice(0, 10)),
  );
addTimingOptions(command).action((raw: Record<string, unknown>) =>
  act(command, () => {
    const folder = String(raw["out"]);
    if (existsSync(folder)) {
      throw new UsageError([`--out: ${folder} exists already: results are never overwritten`]);
    }
    return measureAll(readTiming(raw), folder);
  }),
);
await command.parseAsync();

async function measureAll(timing: Timing, folder: string): Promise<number> {
  const peers = findPeers(pinApart(say), say);
  const measured: Measured[] = [];
  for (const load of [...closedLoads(timing), openLoad(timing)]) {
    say(`\n${load.title}`);
    const results: Result[][] = peers.map(() => []);
    const progress = tellProgress({ arms: peers, rounds: timing.rounds });
    const comparison = await compareArms({
      arms: peers,
      scenario: load.scenario,
      rounds: timing.rounds,
      ...judging,
      ...progress,
      onSample: (sample, result) => {
        progress.onSample(sample);
        results[sample.arm]?.push(result);
      },
    });
    if (comparison !== undefined) {
      measured.push({ ...load, comparison, results });
    }
  }
  publish(
    folder,
    ["npm run bench:peers --", ...process.argv.slice(2)].join(" ").replace(/ --$/, ""),
    peers,
    measured,
  );
  say(`\nwritten: ${folder}`);
  return measured.every(({ comparison }) => isAcceptable(comparison))
    ? exitCodes.good
    : exitCodes.notAcceptable;
}
