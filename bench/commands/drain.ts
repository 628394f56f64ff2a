// The command `drain`: rehearses the shutdown of a server under load, and reports the effect on its clients.

import type { Command } from "commander";
import { z } from "zod";
import { parseRate, parseSize } from "../../src/lib/units.ts";
import { sequenceDigits } from "../engine/payload.ts";
import {
  concludeDrain,
  type DrainOptions,
  drainMetrics,
  drainScenario,
  drainStep,
} from "../measure/drain.ts";
import { formatDrain } from "../report/session/drain.ts";
import { drainSchema } from "../result/drain.ts";
import type { Resources } from "../scenario/scenario.ts";
import { type Action, createTrigger } from "../target/trigger.ts";
import { tellDocument } from "./document.ts";
import { NothingError } from "./nothing.ts";
import { commonShape, duration, quantity, resultShape, whole, within } from "./option-schemas.ts";
import { act, addOutputOptions, type OutputOptions, outputProblems } from "./outcome.ts";
import { runSession } from "./session.ts";
import { addSessionOptions, readSession, type SessionSettings, sessionPayload } from "./session-options.ts";

const mostPayloadBytes = 16 * 1024 * 1024;

const shape = {
  at: duration(1000, 86_400_000),
  for: duration(1000, 86_400_000),
  signal: resultShape.pid,
  exec: z.string().min(1, "must not be empty").optional(),
  connections: commonShape.connections,
  rate: quantity(parseRate, within(0.1, 10_000_000)),
  payload: quantity(parseSize, whole(sequenceDigits, mostPayloadBytes)),
};

/** Adds `drain URL` to the program. */
export function addDrainCommand(program: Command): void {
  const command = program
    .command("drain")
    .description(
      "rehearse the shutdown or a rolling restart of a server under load: lost echoes, closes, gaps",
    )
    .argument("<url>", "ws:// or wss:// URL of an echo endpoint")
    .option("--at <time>", "load before the drain begins", "10s")
    .option("--for <time>", "load from then on", "20s")
    .option("--signal <pid>", "send SIGTERM to this process (of several parts, the first one does)")
    .option("--exec <command>", "run this shell command, as in 'kubectl rollout restart deployment/echo'")
    .option("-c, --connections <number>", "clients", "64")
    .option("-r, --rate <per second>", "messages per second over all clients", "1000")
    .option("-s, --payload <size>", `payload size, at least ${sequenceDigits}: each has a number`, "64");
  addSessionOptions(command, {
    metrics: drainMetrics,
    example: "gap.p99<5s",
    reconnect: "full-jitter:100ms:5s",
    expectClose: "1001,1012",
  });
  addOutputOptions(command, "DrainReport").action((url: string, raw: Raw) =>
    act(command, () => run(readDrain(url, raw), raw)),
  );
}

type Raw = OutputOptions & Readonly<Record<string, unknown>>;

interface Settings {
  readonly settings: SessionSettings;
  readonly options: DrainOptions;
  readonly action: Action;
}

function readDrain(url: string, raw: Raw): Settings {
  const { settings, values } = readSession(
    url,
    raw,
    {
      shape,
      metrics: drainMetrics,
      connections: ({ connections }) => connections ?? 0,
      conflicts: () => [
        (raw["signal"] === undefined) === (raw["exec"] === undefined) &&
          "give either --signal PID or --exec COMMAND, which starts the drain",
      ],
    },
    outputProblems(raw),
  );
  return {
    settings,
    options: {
      ...settings,
      connections: settings.share.count("--connections", values.connections),
      ratePerSecond: settings.share.rate(values.rate),
      payload: sessionPayload(settings, values.payload),
      atMs: values.at,
      forMs: values.for,
    },
    action:
      values.signal === undefined
        ? { kind: "exec", command: values.exec ?? "" }
        : { kind: "signal", pid: values.signal, signal: "SIGTERM" },
  };
}

/** Of several generators, the first one starts the drain. */
function actionHere(action: Action, { part }: Resources): Action {
  if (part === undefined || part.number === 1) {
    return action;
  }
  return action.kind === "signal" ? { ...action, signal: 0 } : { ...action, command: ":" };
}

async function run({ settings, options, action }: Settings, output: OutputOptions): Promise<number> {
  const trigger = createTrigger(actionHere(action, settings.resources));
  let isFired = false;
  const outcome = await runSession({
    scenario: drainScenario(options),
    source: settings,
    onStep: ({ name }) => {
      if (name === drainStep) {
        isFired = true;
        trigger.fire();
      }
    },
  });
  const { exitCode, seconds } = await trigger.finish();
  if (!isFired) {
    throw new NothingError(outcome.endedEarly?.reason ?? "no load began");
  }
  const document = concludeDrain(
    options,
    outcome,
    {
      kind: action.kind,
      what: action.kind === "exec" ? action.command : `${action.signal} to ${action.pid}`,
      atSeconds: options.atMs / 1000,
      exitCode,
      seconds,
    },
    settings.thresholds,
  );
  return tellDocument({ document, schema: drainSchema, text: formatDrain, output });
}
