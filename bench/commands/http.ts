// The command `http`: measures an HTTP target once, through autocannon.

import { type Command, Option } from "commander";
import { z } from "zod";
import { parseNumber } from "../../src/lib/units.ts";
import type { HttpLoad } from "../engine/http-probe.ts";
import { makePayload } from "../engine/payload.ts";
import { requiredThresholds } from "../result/threshold.ts";
import { addResultOptions } from "./load-options.ts";
import {
  checkTogether,
  collect,
  commonShape,
  payloadSchema,
  quantity,
  readFields,
  resultShape,
  UsageError,
  whole,
} from "./option-schemas.ts";
import {
  act,
  addOutputOptions,
  type OutputOptions,
  outputProblems,
  type RunOptions,
  run,
} from "./outcome.ts";
import { addOwnMetricsOptions, metricsAddress, ownMetricsShape } from "./own-metrics.ts";
import { addPartOptions, partShape, shareFor, totalsProblems } from "./parts.ts";

const shape = {
  ...commonShape,
  ...resultShape,
  pipelining: quantity(parseNumber, whole(1, 1024)),
  method: z
    .string()
    .regex(/^[A-Z]+$/, "must be a method in capitals, as in POST")
    .optional(),
  body: payloadSchema.optional(),
  verify: z.enum(["none", "length", "full"]).optional(),
  ...ownMetricsShape,
  ...partShape,
};

/** Bodies of one size are the same in every run. */
const bodySeed = 0;

/** Adds `http URL` to the program. */
export function addHttpCommand(program: Command): void {
  const command = program
    .command("http")
    .description("measure an HTTP target once, through autocannon (a closed loop)")
    .argument("<url>", "http:// or https:// URL; certificates are not checked")
    .option("-c, --connections <number>", "connections", "64")
    .option("-p, --pipelining <number>", "requests in flight on each connection", "1")
    .option("-d, --duration <time>", "measured window, as in 500ms, 30s, 2m", "10s")
    .option("-w, --warmup <time>", "load before the measured window, not counted", "2s")
    .option("-X, --method <method>", "method (default: POST with a body, else GET)")
    .option("-s, --body <size|@file>", "request body: this many bytes of text, or the content of a file")
    .addOption(
      new Option(
        "--verify <what>",
        "how each response body is compared with the request body (default: full with a body, else none)",
      ).choices(["none", "length", "full"]),
    )
    .option("-H, --header <name: value>", "request header (repeatable)", collect, [])
    .option("--timeout <time>", "time limit for a response; autocannon rounds it up to whole seconds", "10s");
  addOutputOptions(addPartOptions(addOwnMetricsOptions(addResultOptions(command)))).action(
    (url: string, raw: Record<string, unknown>) =>
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
function readHttpOptions(url: string, raw: Readonly<Record<string, unknown>>): RunOptions {
  const { values, problems } = readFields(shape, raw);
  if (!URL.canParse(url) || !/^https?:\/\//i.test(url)) {
    problems.unshift(`"${url}" is not an HTTP URL: write http://host:port/path or https://host:port/path`);
  }
  problems.push(...totalsProblems(values));
  const body = bodyOf(values.body);
  const verify = values.verify ?? (body === undefined ? "none" : "full");
  if (values.body?.kind === "sizes" && values.body.sizes.length > 1) {
    problems.push("--body: one size only");
  }
  if (verify !== "none" && body?.some((byte) => byte > 0x7f) === true) {
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
    connections: shareFor(checked).count("--connections", connections),
    pipelining,
    timeoutMs,
    verify,
  };
  return {
    scenario: {
      kind: "http",
      label: checked.label ?? null,
      load,
      warmupMs: checked.warmup,
      durationMs: checked.duration,
    },
    thresholds: [...checked.threshold, ...requiredThresholds(checked.require)],
    pid: checked.pid,
    metricsUrl: checked.metricsUrl,
    metricsPeriodMs: checked.metricsPeriod,
    ownMetrics: metricsAddress(checked),
    startAt: checked.startAt,
  };
}

function bodyOf(choice: z.infer<typeof payloadSchema> | undefined): Uint8Array | undefined {
  if (choice === undefined) {
    return undefined;
  }
  return choice.kind === "file"
    ? choice.content
    : makePayload(choice.sizes[0] ?? 0, "text", "random", bodySeed);
}
