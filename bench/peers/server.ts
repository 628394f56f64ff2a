// `npm run bench:server`: compares what our server, a bare uWebSockets.js echo and ws cost: CPU time per message and per
// connection, memory per idle connection, and a start.

import { Command } from "commander";
import { tellProgress } from "../commands/compare-progress.ts";
import { exitCodes } from "../commands/exit-codes.ts";
import { act } from "../commands/outcome.ts";
import { compareArms } from "../measure/compare.ts";
import { formatComparison } from "../report/comparison/text.ts";
import { isAcceptable } from "../result/comparison.ts";
import { compareCost, costs } from "./costs.ts";
import { closedLoads, denseLoad, openLoad } from "./loads.ts";
import { addTimingOptions, judging, readTiming, type Timing } from "./options.ts";
import { bareServer, findPeers, ourServer, pinApart } from "./servers.ts";

const command = new Command("bench:server").description(
  "measures uws-echo beside a bare uWebSockets.js echo and ws, in turns: CPU time per message and per connection, memory per idle connection, and a start",
);
addTimingOptions(command).action((raw: Record<string, unknown>) =>
  act(command, () => measureAll(readTiming(raw))),
);
await command.parseAsync();

async function measureAll(timing: Timing): Promise<number> {
  const say = (text: string): boolean => process.stderr.write(`${text}\n`);
  const peers = findPeers(pinApart(say), () => undefined);
  const arms = [bareServer, ourServer, "ws"].flatMap((name) => peers.filter((peer) => peer.name === name));
  const loads = [...closedLoads(timing), denseLoad(timing), openLoad(timing)];
  let exitCode: number = exitCodes.good;
  for (const { title, scenario } of loads) {
    say(`\n${title}`);
    const progress = tellProgress({ arms, rounds: timing.rounds });
    const comparison = await compareArms({ arms, scenario, ...timing, ...judging, ...progress });
    progress.end();
    if (comparison === undefined) {
      return exitCodes.nothing;
    }
    process.stdout.write(`\n== ${title} ==\n\n${formatComparison(comparison)}`);
    if (!isAcceptable(comparison)) {
      exitCode = exitCodes.notAcceptable;
    }
  }
  for (const cost of costs) {
    say(`\n${cost.title}`);
    process.stdout.write(`\n== ${cost.title} ==\n\n${await compareCost(cost, arms, timing.rounds)}`);
  }
  return exitCode;
}
