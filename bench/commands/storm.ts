// The command `storm`: lets many clients connect at once, and measures the effect on them and on connected clients.

import type { Command } from "commander";
import { z } from "zod";
import { formatElapsed } from "../../src/lib/format.ts";
import { parseNumber, parseRate, parseSize, UnitError } from "../../src/lib/units.ts";
import { concludeStorm, type StormOptions, stormMetrics, stormScenario } from "../measure/storm.ts";
import { formatStorm } from "../report/session/storm.ts";
import { stormSchema } from "../result/storm.ts";
import { tellDocument } from "./document.ts";
import { NothingError } from "./nothing.ts";
import { commonShape, duration, parsedBy, quantity, whole } from "./option-schemas.ts";
import { act, addOutputOptions, type OutputOptions, outputProblems } from "./outcome.ts";
import type { Share } from "./parts.ts";
import { runSession } from "./session.ts";
import { addSessionOptions, readSession, type SessionSettings, sessionPayload } from "./session-options.ts";

const mostPayloadBytes = 16 * 1024 * 1024;
/** Time after the last client was due, in which refused clients reconnect. */
const restMs = 20_000;
const [leastRate, mostRate] = [0.1, 1_000_000];

const shape = {
  connections: commonShape.connections,
  rate: parsedBy(parseStormRate),
  arrivals: z.enum(["even", "poisson"], { error: "must be even or poisson" }),
  background: parsedBy(parseBackground),
  payload: quantity(parseSize, whole(0, mostPayloadBytes)),
  ping: z.boolean().optional(),
  before: duration(1000, 3_600_000),
  duration: duration(1000, 86_400_000).optional(),
};

/** Adds `storm URL` to the program. */
export function addStormCommand(program: Command): void {
  const command = program
    .command("storm")
    .description(
      "let many clients connect at once: handshakes, refusals, CPU, and the effect on connected clients",
    )
    .argument("<url>", "ws:// or wss:// URL of an echo endpoint, or of any WebSocket server with --ping")
    .option("-c, --connections <number>", "clients that connect", "1000")
    .option(
      "-r, --rate <per second|max>",
      "how many are due per second; max: all at once, 128 handshakes at a time in each thread",
      "max",
    )
    .option("--arrivals <even|poisson>", "how they are spread in time, with a rate", "even")
    .option(
      "--background <n@rate>",
      "clients that are already connected, and their messages per second",
      "10@100",
    )
    .option("--ping", "pings instead of messages, for a server that does not echo")
    .option("-s, --payload <size>", "payload size of the messages", "64")
    .option("--before <time>", "how long to measure the background before the storm", "5s")
    .option(
      "-d, --duration <time>",
      "how long to measure from its start (default: until all were due, and 20 s)",
    );
  addSessionOptions(command, {
    metrics: stormMetrics,
    example: "background.p99<50ms",
    reconnect: "full-jitter:1s:30s",
    expectClose: "none",
  });
  addOutputOptions(command, "StormReport").action((url: string, raw: Raw) =>
    act(command, () => run(readStorm(url, raw), raw)),
  );
}

type Raw = OutputOptions & Readonly<Record<string, unknown>>;

type Background = NonNullable<StormOptions["background"]>;

interface Settings {
  readonly settings: SessionSettings;
  readonly options: StormOptions;
}

function readStorm(url: string, raw: Raw): Settings {
  const { settings, values } = readSession(
    url,
    raw,
    {
      shape,
      metrics: stormMetrics,
      connections: ({ connections = 0, background }) => connections + (background?.connections ?? 0),
      conflicts: ({ arrivals, rate }) => [
        arrivals === "poisson" && rate === "max" && "--arrivals poisson needs a --rate",
      ],
    },
    outputProblems(raw),
  );
  const { connections, rate, background } = values;
  const { share } = settings;
  const dueMs = rate === "max" ? 0 : (1000 * connections) / rate;
  return {
    settings,
    options: {
      ...settings,
      connections: share.count("--connections", connections),
      ratePerSecond: rate === "max" ? undefined : share.rate(rate),
      arrivals: values.arrivals,
      background: background === null ? undefined : shareOfBackground(share, background),
      traffic: values.ping === true ? "ping" : "echo",
      payload: sessionPayload(settings, values.payload),
      beforeMs: values.before,
      durationMs: values.duration ?? dueMs + restMs,
    },
  };
}

function shareOfBackground(share: Share, { connections, ratePerSecond }: Background): Background {
  return {
    connections: share.count("--background", connections),
    ratePerSecond: share.rate(ratePerSecond),
  };
}

/** Reads `max`, or a rate. @throws UnitError */
function parseStormRate(text: string): number | "max" {
  if (text === "max") {
    return text;
  }
  const rate = parseRate(text);
  if (rate < leastRate || rate > mostRate) {
    throw new UnitError(`must be between ${leastRate} and ${mostRate}, or max`);
  }
  return rate;
}

/** Reads `100@1000/s`, or `none`. @throws UnitError */
function parseBackground(text: string): Background | null {
  if (text === "none") {
    return null;
  }
  const [count = "", rate = "", ...rest] = text.split("@");
  if (rate === "" || rest.length > 0) {
    throw new UnitError(`"${text}" is not a background: write clients and rate, as in 100@1000, or none`);
  }
  const background = { connections: parseNumber(count), ratePerSecond: parseRate(rate) };
  if (
    !Number.isInteger(background.connections) ||
    background.connections < 1 ||
    background.connections > 1_000_000
  ) {
    throw new UnitError(`"${text}": clients must be a whole number between 1 and 1000000`);
  }
  if (background.ratePerSecond < leastRate || background.ratePerSecond > mostRate) {
    throw new UnitError(`"${text}": the rate must be between ${leastRate} and ${mostRate}`);
  }
  return background;
}

async function run({ settings, options }: Settings, output: OutputOptions): Promise<number> {
  process.stderr.write(`This takes ${formatElapsed(options.beforeMs + options.durationMs)}.\n`);
  const outcome = await runSession({ scenario: stormScenario(options), source: settings });
  const document = concludeStorm(options, outcome, settings.thresholds);
  const { opened, refused } = document.handshakes;
  if (opened + refused === 0) {
    const details = Object.values(outcome.errors).map(({ detail }) => detail);
    const reasons = [...(document.partial === null ? [] : [document.partial.reason]), ...details];
    throw new NothingError(reasons.join("; ") || "no client was due");
  }
  return tellDocument({ document, schema: stormSchema, text: formatStorm, output });
}
