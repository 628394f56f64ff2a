// The command `soak`: loads a target for hours, and says what leaks and what drifts. Checkpoints survive a kill.

import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { formatElapsed } from "../../src/lib/format.ts";
import { parseDuration, parseRate, parseSize, UnitError } from "../../src/lib/units.ts";
import { documentHead } from "../measure/document.ts";
import { payloadHashes } from "../measure/session.ts";
import { concludeSoak, type SoakOptions, soakMetrics, soakScenario, soakStep } from "../measure/soak.ts";
import { SoakTrack } from "../measure/soak-track.ts";
import { formatSoak } from "../report/session/soak.ts";
import { type SoakReport, soakSchema } from "../result/soak.ts";
import { problemOfReplacing, replaceFile } from "../result/store.ts";
import { describeEnvironment } from "../target/environment.ts";
import { locate } from "../target/target.ts";
import { withoutSecrets } from "./command-line.ts";
import { tellDocument } from "./document.ts";
import { NothingError } from "./nothing.ts";
import { commonShape, duration, parsedBy, quantity, warmup, whole, within } from "./option-schemas.ts";
import { act, addOutputOptions, type OutputOptions, outputProblems } from "./outcome.ts";
import { runSession } from "./session.ts";
import { addSessionOptions, readSession, type SessionSettings, sessionPayload } from "./session-options.ts";

const weekMs = 7 * 86_400_000;
const mostPayloadBytes = 16 * 1024 * 1024;
const mostBytesPerHour = 2 ** 50;
/** The target is sampled about so often in all, at least once a second. */
const samplesInAll = 7200;

const shape = {
  duration: duration(5000, weekMs),
  warmup: warmup(weekMs).optional(),
  churn: parsedBy(parseChurn),
  connections: commonShape.connections,
  rate: quantity(parseRate, within(0.1, 10_000_000)),
  payload: quantity(parseSize, whole(0, mostPayloadBytes)),
  tolerate: quantity(parseSize, within(0, mostBytesPerHour)),
  checkpoint: z.string().min(1, "must not be empty").optional(),
  checkpointPeriod: duration(1000, weekMs),
};

/** Adds `soak URL` to the program. */
export function addSoakCommand(program: Command): void {
  const command = program
    .command("soak")
    .description("load a target for hours: leaks of memory and descriptors, drift of latency and CPU time")
    .argument("<url>", "ws:// or wss:// URL of an echo endpoint")
    .option("-d, --duration <time>", "time that is judged", "1h")
    .option("-w, --warmup <time>", "load before that (default: a tenth of it, at most 5m)")
    .option("--churn <time|none>", "mean time after which a connection is replaced by a new one", "30s")
    .option("-c, --connections <number>", "clients", "50")
    .option("-r, --rate <per second>", "messages per second over all clients", "100")
    .option("-s, --payload <size>", "payload size", "64")
    .option("--tolerate <size>", "growth of memory or heap per hour that is no failure", "0")
    .option(
      "--checkpoint <file>",
      "file for the report so far, replaced each time (default: beside the report)",
    )
    .option("--checkpoint-period <time>", "time between two checkpoints", "1m");
  addSessionOptions(command, {
    metrics: soakMetrics,
    example: "memory.growth<1MiB",
    reconnect: "full-jitter:100ms:5s",
    expectClose: "none",
  });
  addOutputOptions(command, "SoakReport").action((url: string, raw: Raw) =>
    act(command, () => run(readSoak(url, raw), raw)),
  );
}

type Raw = OutputOptions & Readonly<Record<string, unknown>>;

interface Settings {
  readonly settings: SessionSettings;
  readonly options: SoakOptions;
  readonly checkpointPath: string;
  readonly checkpointPeriodMs: number;
}

function parseChurn(text: string): number | undefined {
  const ms = text === "none" ? undefined : parseDuration(text);
  if (ms !== undefined && ms < 100) {
    throw new UnitError("must be at least 100ms, or none");
  }
  return ms;
}

function readSoak(url: string, raw: Raw): Settings {
  const checkpointPath = checkpointOf(raw);
  const problem = problemOfReplacing(checkpointPath);
  const { settings, values } = readSession(
    url,
    raw,
    { shape, metrics: soakMetrics, connections: ({ connections }) => connections ?? 0 },
    [...outputProblems(raw), ...(problem === undefined ? [] : [`--checkpoint: ${problem}`])],
  );
  return {
    settings,
    checkpointPath,
    checkpointPeriodMs: values.checkpointPeriod,
    options: {
      ...settings,
      connections: settings.share.count("--connections", values.connections),
      ratePerSecond: settings.share.rate(values.rate),
      payload: sessionPayload(settings, values.payload),
      lifetimeMs: values.churn,
      durationMs: values.duration,
      warmupMs: values.warmup ?? Math.min(300_000, values.duration / 10),
      toleratedBytesPerHour: values.tolerate,
    },
  };
}

function checkpointOf({ checkpoint, out }: Raw & { readonly checkpoint?: unknown }): string {
  if (typeof checkpoint === "string" && checkpoint !== "") {
    return checkpoint;
  }
  return out === undefined
    ? join("uws-echo-bench-results", `soak-${process.pid}-${randomBytes(4).toString("hex")}.checkpoint.json`)
    : `${out.replace(/\.json$/, "")}.checkpoint.json`;
}

async function run(soak: Settings, output: OutputOptions): Promise<number> {
  const { settings, options, checkpointPath, checkpointPeriodMs } = soak;
  const track = new SoakTrack(() => performance.now());
  const periodMs = Math.max(1000, options.durationMs / samplesInAll);
  process.stderr.write(
    `This takes ${formatElapsed(options.warmupMs + options.durationMs)}; checkpoints: ${checkpointPath}\n`,
  );
  const keepCheckpoint = await checkpointer(soak, track);
  let timer: NodeJS.Timeout | undefined;
  try {
    const outcome = await runSession({
      scenario: soakScenario(options),
      source: settings,
      memory: true,
      watch: (sampler) => sampler && track.watch(sampler, periodMs),
      onProgress: (progress) => track.onProgress(progress),
      onStep: ({ name }) => {
        if (name === soakStep) {
          track.start();
          timer = setInterval(keepCheckpoint, checkpointPeriodMs);
        }
      },
    });
    clearInterval(timer);
    if (!outcome.steps.some(({ name }) => name === soakStep)) {
      throw new NothingError(outcome.endedEarly?.reason ?? "no load began");
    }
    const head = documentHead(options, outcome);
    const document = concludeSoak(options, head, track.points, outcome, settings.thresholds);
    const code = tellDocument<SoakReport>({ document, schema: soakSchema, text: formatSoak, output });
    rmSync(checkpointPath, { force: true });
    return code;
  } finally {
    clearInterval(timer);
  }
}

/** Writes the report so far; a checkpoint that cannot be written does not end the soak. */
async function checkpointer(
  { options, settings, checkpointPath }: Settings,
  track: SoakTrack,
): Promise<() => void> {
  const { local } = await locate(options.target.url, options.target);
  const environment = describeEnvironment();
  const startedAt = new Date().toISOString();
  const command = withoutSecrets(process.argv.slice(2));
  return () => {
    const seconds = track.points.at(-1)?.seconds ?? 0;
    const head = {
      label: options.label,
      startedAt,
      command: null,
      target: { url: options.target.url, local },
      partial: { reason: `this is a checkpoint after ${formatElapsed(1000 * seconds)}` },
      seed: options.resources.seed,
      payloadSha256: payloadHashes(soakScenario(options).groups),
      closes: [],
      errors: {},
      environment,
    };
    const report = concludeSoak(options, head, track.points, undefined, settings.thresholds);
    const problem = replaceFile(checkpointPath, `${JSON.stringify({ ...report, command })}\n`);
    if (problem !== undefined) {
      process.stderr.write(`error: no checkpoint: ${problem}\n`);
    }
  };
}
