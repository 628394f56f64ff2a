// Owns the command `http`: options in, one measurement of an HTTP target by autocannon, its report and file out.
// Must not know how a measurement is made.

import { createRequire } from "node:module";
import { type Command, Option } from "commander";
import { z } from "zod";
import type { HttpLoad } from "../engine/http-probe.ts";
import { makePayload } from "../engine/payload.ts";
import { systemClock } from "../load/clock.ts";
import { httpThread } from "../load/http-generator.ts";
import { measure, type Outcome, realWorld } from "../measure/measure.ts";
import type { Scenario } from "../measure/scenario.ts";
import type { Threshold } from "../result/threshold.ts";
import { judge } from "../result/verdict.ts";
import { chooseSampler } from "../target/sampler.ts";
import { defaultMetricsUrl } from "../target/target.ts";
import { parseNumber } from "../units.ts";
import { addResultOptions, type ServerSource } from "./load-options.ts";
import {
  collect,
  commonShape,
  payloadSchema,
  quantity,
  readFields,
  UsageError,
  whole,
} from "./option-schemas.ts";
import {
  act,
  addOutputOptions,
  checkTogether,
  interruptOnSignal,
  type OutputOptions,
  outputProblems,
  tell,
} from "./outcome.ts";
import { createProgressLine } from "./progress.ts";

const shape = {
  ...commonShape,
  pipelining: quantity(parseNumber, whole(1, 1024)),
  method: z
    .string()
    .regex(/^[A-Z]+$/, "must be a method in capitals, as in POST")
    .optional(),
  body: payloadSchema.optional(),
  verify: z.enum(["none", "length", "full"]).optional(),
};

interface HttpOptions extends ServerSource {
  readonly load: HttpLoad;
  readonly scenario: Scenario;
  readonly thresholds: readonly Threshold[];
}

/** Adds `http URL` to the program. */
export function addHttpCommand(program: Command): void {
  const command = program
    .command("http")
    .description("measure an HTTP target once, through autocannon (a closed loop)")
    .argument("<url>", "http:// or https:// URL; certificates are not checked")
    .option("-c, --connections <number>", "connections", "64")
    .option("-p, --pipelining <number>", "requests under way on each connection", "1")
    .option("-d, --duration <time>", "measured window, as in 500ms, 30s, 2m", "10s")
    .option("-w, --warmup <time>", "load before the window, never counted", "2s")
    .option("-X, --method <method>", "method (default: POST with a body, else GET)")
    .option("-s, --body <size|@file>", "request body: so many octets of text, or the content of a file")
    .addOption(
      new Option(
        "--verify <what>",
        "what of each response body is checked against the request's (default: full with a body, else none)",
      ).choices(["none", "length", "full"]),
    )
    .option("-H, --header <name: value>", "request header (repeatable)", collect, [])
    .option("--timeout <time>", "for a response; autocannon rounds it up to whole seconds", "10s");
  addOutputOptions(addResultOptions(command)).action((url: string, raw: Record<string, unknown>) =>
    act(command, () => {
      const output: OutputOptions = raw;
      return run(
        checkTogether(outputProblems(output), () => readHttpOptions(url, raw)),
        output,
      );
    }),
  );
}

/** Checks the options. @throws UsageError with every problem */
export function readHttpOptions(url: string, raw: Readonly<Record<string, unknown>>): HttpOptions {
  const { values, problems } = readFields(shape, raw);
  if (!URL.canParse(url) || !/^https?:\/\//i.test(url)) {
    problems.unshift(`"${url}" is not an HTTP URL: write http://host:port/path or https://host:port/path`);
  }
  const body = bodyOf(values.body);
  const verify = values.verify ?? (body === undefined ? "none" : "full");
  if (values.body?.kind === "sizes" && values.body.sizes.length > 1) {
    problems.push("--body: one size only");
  }
  if (verify !== "none" && body?.some((octet) => octet > 0x7f) === true) {
    problems.push("--body: a file that is not ASCII cannot be verified: use --verify none");
  }
  if (problems.length > 0) {
    throw new UsageError(problems);
  }
  const checked = values as { readonly [K in keyof typeof shape]: z.infer<(typeof shape)[K]> };
  const { connections, pipelining, timeout: timeoutMs } = checked;
  const load: HttpLoad = {
    url,
    method: checked.method ?? (body === undefined ? "GET" : "POST"),
    headers: Object.fromEntries(checked.header),
    body: body === undefined ? undefined : Buffer.from(body).toString("utf8"),
    connections,
    pipelining,
    timeoutMs,
    verify,
  };
  return {
    load,
    scenario: {
      label: checked.label ?? null,
      endpoint: {
        url,
        headers: checked.header,
        subprotocols: [],
        origin: undefined,
        caPem: undefined,
        insecure: true,
        deflate: false,
        timeoutMs,
        payloads: [body ?? new Uint8Array(0)],
        type: "text",
        verify,
      },
      engine: "raw", // The plan's; the Result names autocannon, see below.
      loop: { kind: "closed", depth: pipelining },
      connections,
      connectionsPerSecond: undefined,
      threads: 1,
      warmupMs: checked.warmup,
      durationMs: checked.duration,
    },
    thresholds: checked.threshold,
    pid: checked.pid,
    metricsUrl: checked.metricsUrl,
  };
}

function bodyOf(choice: z.infer<typeof payloadSchema> | undefined): Uint8Array | undefined {
  if (choice === undefined) {
    return undefined;
  }
  return choice.kind === "file" ? choice.content : makePayload(choice.sizes[0] ?? 0, "text");
}

async function run(
  { load, scenario, thresholds, pid, metricsUrl }: HttpOptions,
  output: OutputOptions,
): Promise<number> {
  const sampler = await chooseSampler({ pid, metricsUrl, defaultMetricsUrl: defaultMetricsUrl(load.url) });
  const line = createProgressLine(process.stderr);
  const interruption = interruptOnSignal();
  try {
    const outcome = await measure(scenario, {
      sampler,
      thresholds,
      signal: interruption.signal,
      onProgress: (progress) => line.show(progress),
      world: { ...realWorld, startThread: httpThread(load, systemClock) },
    });
    line.end();
    return tell(asHttp(outcome), output);
  } finally {
    line.end();
    interruption.end();
  }
}

/** Says in the Result what made the load, and judges it as that. */
function asHttp(outcome: Outcome): Outcome {
  if (outcome.kind === "nothing") {
    return outcome;
  }
  const { version } = createRequire(import.meta.url)("autocannon/package.json") as { version: string };
  const result = judge({ ...outcome.result, loop: "http", engine: { name: "autocannon", version } });
  return { ...outcome, result };
}
