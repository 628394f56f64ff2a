// Runs a scenario from a file, for `run --scenario`.

import { z } from "zod";
import { formatElapsed } from "../../src/lib/format.ts";
import { highestSeed } from "../../src/lib/random.ts";
import { parseNumber } from "../../src/lib/units.ts";
import { reportSession, sessionMetrics } from "../measure/session-report.ts";
import { formatSessionReport } from "../report/session/session.ts";
import { sessionSchema } from "../result/session.ts";
import { parseThresholdOf } from "../result/threshold.ts";
import { tellDocument } from "./document.ts";
import { NothingError } from "./nothing.ts";
import {
  checkTogether,
  parsedBy,
  quantity,
  readFields,
  resultShape,
  type ValuesOf,
  whole,
} from "./option-schemas.ts";
import { type OutputOptions, outputProblems } from "./outcome.ts";
import { readScenarioFile } from "./scenario-file.ts";
import { runSession } from "./session.ts";

const shape = {
  label: resultShape.label,
  pid: resultShape.pid,
  metricsUrl: resultShape.metricsUrl,
  metricsPeriod: resultShape.metricsPeriod,
  seed: quantity(parseNumber, whole(0, highestSeed)).optional(),
  threshold: z.array(parsedBy((text) => parseThresholdOf(sessionMetrics, text))),
};

export interface ScenarioRun {
  /** The scenario's file. */
  readonly path: string;
  /** In place of the file's. */
  readonly url: string | undefined;
  readonly raw: Readonly<Record<string, unknown>>;
  readonly output: OutputOptions;
  /** Given options of a load, which conflict with the file. */
  readonly strangers: readonly string[];
}

/** @returns the exit code */
export async function runScenarioFile({ path, url, raw, output, strangers }: ScenarioRun): Promise<number> {
  const read = readFields(shape, raw);
  const problems = [
    ...read.problems,
    ...outputProblems(output),
    ...strangers.map(
      (name) =>
        `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} does not go with --scenario: the file says it`,
    ),
  ];
  const scenario = checkTogether(problems, () => readScenarioFile(path, url, read.values.seed));
  const { label = null, pid, metricsUrl, metricsPeriod, threshold } = read.values as ValuesOf<typeof shape>;
  const totalMs = scenario.timeline.reduce((sum, { durationMs }) => sum + durationMs, 0);
  process.stderr.write(`This takes ${formatElapsed(totalMs)}.\n`);
  const outcome = await runSession({
    scenario,
    source: { pid, metricsUrl, metricsPeriodMs: metricsPeriod },
  });
  for (const [kind, { count, detail }] of Object.entries(outcome.errors)) {
    process.stderr.write(`error: ${kind} (${count}x): ${detail}\n`);
  }
  const document = reportSession({ label, scenario, thresholds: threshold }, outcome);
  if (document.steps.length === 0) {
    throw new NothingError(outcome.endedEarly?.reason ?? "no step began");
  }
  return tellDocument({ document, schema: sessionSchema, text: formatSessionReport, output });
}
