// The command `idle`: measures the cost of idle connections, in the process and in the kernel, and how long they last.

import type { Command } from "commander";
import { z } from "zod";
import { formatElapsed } from "../../src/lib/format.ts";
import { parseNumber, parseRate } from "../../src/lib/units.ts";
import { concludeIdle, type IdleOptions, idleMetrics, idleScenario, lengthOf } from "../measure/idle.ts";
import { formatIdle } from "../report/session/idle.ts";
import { idleSchema } from "../result/idle.ts";
import { fewestPoints } from "../result/trend.ts";
import { tellDocument } from "./document.ts";
import { NothingError } from "./nothing.ts";
import { duration, listSchema, quantity, whole, within } from "./option-schemas.ts";
import { act, addOutputOptions, type OutputOptions, outputProblems } from "./outcome.ts";
import { runSession } from "./session.ts";
import { addSessionOptions, readSession, type SessionSettings } from "./session-options.ts";

const mostSteps = 50;
const ascending = "must be ascending numbers, as in 1k,2k,5k,10k";

const shape = {
  steps: listSchema.pipe(
    z
      .array(quantity(parseNumber, whole(1, 1_000_000)))
      .min(fewestPoints, `must name at least ${fewestPoints} numbers: a slope through fewer has no interval`)
      .max(mostSteps, `must be at most ${mostSteps}`)
      .refine((steps) => steps.every((step, i) => i === 0 || step > (steps[i - 1] ?? 0)), ascending),
  ),
  hold: duration(1000, 86_400_000),
  ping: duration(100, 3_600_000).optional(),
  connectRate: quantity(parseRate, within(1, 1_000_000)),
};

/** Adds `idle URL` to the program. */
export function addIdleCommand(program: Command): void {
  const command = program
    .command("idle")
    .description("measure the cost of idle connections: memory, CPU time of pings, and when they are closed")
    .argument("<url>", "ws:// or wss:// URL of any WebSocket server")
    .option(
      "--steps <numbers>",
      "numbers of connections to hold, ascending, at least four; more make the interval narrower",
      "1k,2k,3k,4k,5k,6k,8k,10k",
    )
    .option("--hold <time>", "how long to hold each", "10s")
    .option("--ping <time>", "time between two pings on a connection (default: none)")
    .option("--connect-rate <per second>", "connections to open per second between the steps", "1000");
  addSessionOptions(command, {
    metrics: idleMetrics,
    example: "each<8KiB",
    reconnect: "never",
    expectClose: "none",
  });
  addOutputOptions(command, "IdleReport").action(
    (url: string, raw: OutputOptions & Record<string, unknown>) =>
      act(command, () => run(readIdle(url, raw), raw)),
  );
}

interface Settings {
  readonly settings: SessionSettings;
  readonly options: IdleOptions;
}

function readIdle(url: string, raw: OutputOptions & Record<string, unknown>): Settings {
  const { settings, values } = readSession(
    url,
    raw,
    { shape, metrics: idleMetrics, connections: ({ steps }) => steps?.at(-1) ?? 0 },
    outputProblems(raw),
  );
  const { share } = settings;
  return {
    settings,
    options: {
      ...settings,
      steps: values.steps.map((total) => share.count("--steps", total)),
      holdMs: values.hold,
      connectionsPerSecond: share.rate(values.connectRate),
      pingIntervalMs: values.ping,
    },
  };
}

async function run({ settings, options }: Settings, output: OutputOptions): Promise<number> {
  const scenario = idleScenario(options);
  process.stderr.write(`This takes ${formatElapsed(lengthOf(scenario))}.\n`);
  const outcome = await runSession({ scenario, source: settings, memory: true });
  const document = concludeIdle(options, outcome, settings.thresholds);
  if (document.steps.length === 0) {
    throw new NothingError(document.partial?.reason ?? "no step was held");
  }
  return tellDocument({ document, schema: idleSchema, text: formatIdle, output });
}
