// The command `slow`: measures the effect of clients that read slowly, or not at all, on a server and on others.

import type { Command } from "commander";
import { parseNumber, parseRate, parseShare, parseSize } from "../../src/lib/units.ts";
import { concludeSlow, type SlowOptions, slowMetrics, slowScenario } from "../measure/slow.ts";
import { formatSlow } from "../report/session/slow.ts";
import { slowSchema } from "../result/slow.ts";
import { tellDocument } from "./document.ts";
import { NothingError } from "./nothing.ts";
import { duration, quantity, whole, within } from "./option-schemas.ts";
import { act, addOutputOptions, type OutputOptions, outputProblems } from "./outcome.ts";
import { runSession } from "./session.ts";
import { addSessionOptions, readSession, type SessionSettings, sessionPayload } from "./session-options.ts";

const mostPayloadBytes = 16 * 1024 * 1024;
const mostBytesPerSecond = 2 ** 40;

const shape = {
  connections: quantity(parseNumber, whole(2, 1_000_000)),
  readers: quantity(parseShare, within(0.0001, 0.99)),
  readRate: quantity(parseSize, within(0, mostBytesPerSecond)),
  readerRate: quantity(parseRate, within(0.1, 10_000_000)),
  readerPayload: quantity(parseSize, whole(1, mostPayloadBytes)),
  rate: quantity(parseRate, within(0.1, 10_000_000)),
  payload: quantity(parseSize, whole(0, mostPayloadBytes)),
  before: duration(1000, 86_400_000),
  duration: duration(1000, 86_400_000),
};

/** Adds `slow URL` to the program. */
export function addSlowCommand(program: Command): void {
  const command = program
    .command("slow")
    .description(
      "measure the effect of slow readers on a server: buffers, memory, its reaction, and others' latency",
    )
    .argument("<url>", "ws:// or wss:// URL of an echo endpoint")
    .option("-c, --connections <number>", "clients, slow readers included", "100")
    .option("--readers <share>", "share of them that read slowly", "5%")
    .option("--read-rate <size>", "bytes per second that each of these reads; 0 for none", "0")
    .option("--reader-rate <per second>", "messages per second of all slow readers", "500")
    .option("--reader-payload <size>", "payload size of their messages", "16KiB")
    .option("-r, --rate <per second>", "messages per second of all others", "1000")
    .option("-s, --payload <size>", "payload size of their messages", "64")
    .option("--before <time>", "time before and after the slow readers", "5s")
    .option("-d, --duration <time>", "time with slow readers", "10s");
  addSessionOptions(command, {
    metrics: slowMetrics,
    example: "during.p99<50ms",
    reconnect: "never",
    expectClose: "none",
  });
  addOutputOptions(command, "SlowReport").action((url: string, raw: Raw) =>
    act(command, () => run(readSlow(url, raw), raw)),
  );
}

type Raw = OutputOptions & Readonly<Record<string, unknown>>;

interface Settings {
  readonly settings: SessionSettings;
  readonly options: SlowOptions;
}

function readSlow(url: string, raw: Raw): Settings {
  const { settings, values } = readSession(
    url,
    raw,
    { shape, metrics: slowMetrics, connections: ({ connections }) => connections ?? 0 },
    outputProblems(raw),
  );
  const readers = Math.min(
    values.connections - 1,
    Math.max(1, Math.round(values.connections * values.readers)),
  );
  const { share } = settings;
  return {
    settings,
    options: {
      ...settings,
      readers: share.count("--readers", readers),
      neighbours: share.count("--connections", values.connections - readers),
      neighbourRate: share.rate(values.rate),
      neighbourPayload: sessionPayload(settings, values.payload),
      readRate: values.readRate,
      readerRate: share.rate(values.readerRate),
      readerPayload: sessionPayload(settings, values.readerPayload, 1),
      beforeMs: values.before,
      duringMs: values.duration,
    },
  };
}

async function run({ settings, options }: Settings, output: OutputOptions): Promise<number> {
  const outcome = await runSession({ scenario: slowScenario(options), source: settings, memory: true });
  if (!outcome.steps.some(({ name }) => name === "during")) {
    throw new NothingError(outcome.endedEarly?.reason ?? "no slow reader came");
  }
  const document = concludeSlow(options, outcome, settings.thresholds);
  return tellDocument({ document, schema: slowSchema, text: formatSlow, output });
}
