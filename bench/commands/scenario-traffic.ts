// The traffic of a group in a scenario file.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { mixSeeds } from "../../src/lib/random.ts";
import { tokenPattern } from "../../src/lib/token.ts";
import { parseRate, parseSize, UnitError } from "../../src/lib/units.ts";
import { fills, makePayload } from "../engine/payload.ts";
import { constant } from "../scenario/curve.ts";
import { parseCurve } from "../scenario/stages.ts";
import type { Messages, Payload, ScriptStep, Traffic } from "../scenario/traffic.ts";
import { duration, parsedBy } from "./option-schemas.ts";

const maxPayloadBytes = 256 * 1024 * 1024;
const mostPayloads = 1000;
const mostScriptSteps = 1000;
const deepestRepeat = 5;

const rateSchema = z.union(
  [z.number().min(0).max(1e8).transform(constant), parsedBy((text) => parseCurve(text, parseRate))],
  { error: "must be a rate, or stages as in 30s:0..20k,1m:20k" },
);

const bytesSchema = z.union([z.int().min(0).max(maxPayloadBytes), parsedBy(parseSize)], {
  error: 'must be a number of bytes, or a size as in "4KiB"',
});

const weightSchema = z.int().min(1).max(mostPayloads).default(1);
const payloadSchema = z.union(
  [
    z.strictObject({
      size: bytesSchema,
      fill: z.enum(fills, { error: `must be ${fills.join(", ")}` }).default("random"),
      weight: weightSchema,
    }),
    z.strictObject({ text: z.string(), weight: weightSchema }),
    z.strictObject({ file: z.string(), weight: weightSchema }),
  ],
  { error: 'must be {"size": "4KiB"}, {"text": "..."} or {"file": "..."}, each with a "weight" perhaps' },
);

type FilePayload = z.infer<typeof payloadSchema>;

const type = z.enum(["text", "binary"], { error: "must be text or binary" });
const verify = z.enum(["none", "length", "full"], { error: "must be none, length or full" });
const messagesShape = {
  payload: z
    .array(payloadSchema)
    .min(1)
    .refine((payloads) => payloads.reduce((sum, { weight }) => sum + weight, 0) <= mostPayloads, {
      error: `weights must not exceed ${mostPayloads} together`,
    })
    .default([{ size: 64, fill: "random", weight: 1 }]),
  type: type.default("binary"),
  verify: verify.default("length"),
};
const arrivals = z.enum(["even", "poisson"], { error: "must be even or poisson" }).default("even");

const thinkSchema = z.union(
  [
    duration(1, 3_600_000).transform((ms) => ({ ms, isExponential: false })),
    z
      .strictObject({ exponential: duration(1, 3_600_000) })
      .transform(({ exponential: ms }) => ({ ms, isExponential: true })),
  ],
  { error: 'must be a time, as in "1s", or {"exponential": "1s"}' },
);

interface FileRepeat {
  readonly repeat: number;
  readonly steps: readonly FileStep[];
}
type FileStep =
  | { readonly send: string }
  | { readonly expect: string | true }
  | { readonly think: z.infer<typeof thinkSchema> }
  | FileRepeat;

const stepSchema: z.ZodType<FileStep> = z.lazy(() =>
  z.union(
    [
      z.strictObject({ send: z.string() }),
      z.strictObject({ expect: z.union([z.string().min(1), z.literal(true)]) }),
      z.strictObject({ think: thinkSchema }),
      z.strictObject({
        repeat: z.int().min(1).max(1_000_000),
        steps: z.array(stepSchema).min(1).max(mostScriptSteps),
      }),
    ],
    {
      error:
        'must be {"send": "..."}, {"expect": "..."} (true for any message), {"think": "1s"}, or {"repeat": 3, "steps": [...]}',
    },
  ),
);

export const trafficSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("idle") }),
  z.strictObject({ kind: z.literal("ping"), interval: duration(10, 86_400_000) }),
  z
    .strictObject({
      kind: z.literal("echo"),
      depth: z.int().min(1).max(65_536).optional(),
      rate: rateSchema.optional(),
      once: z.literal(true).optional(),
      arrivals,
      match: z.enum(["fifo", "stamp"], { error: "must be fifo or stamp" }).default("fifo"),
      ...messagesShape,
    })
    .refine(
      ({ depth, rate, once }) => [depth, rate, once].filter((loop) => loop !== undefined).length === 1,
      {
        error: "must have one of depth (closed loop), rate (open loop) and once",
      },
    ),
  z.strictObject({
    kind: z.literal("read"),
    bytesPerSecond: bytesSchema,
    rate: rateSchema,
    payload: messagesShape.payload,
    type: messagesShape.type,
  }),
  z.strictObject({
    kind: z.literal("listen"),
    onOpen: z.array(z.string()).max(mostPayloads).default([]),
    type: type.default("text"),
  }),
  z.strictObject({
    kind: z.literal("fanout"),
    publishers: z.int().min(1),
    rate: rateSchema,
    arrivals,
    receivers: z.enum(["all", "others"], { error: "must be all or others" }).default("all"),
    size: bytesSchema.default(64),
    type: type.default("text"),
  }),
  z
    .strictObject({
      kind: z.literal("script"),
      steps: z.array(stepSchema).min(1).max(mostScriptSteps),
      type: type.default("text"),
    })
    .refine(({ steps }) => waits(steps), {
      error: "must expect something or think: a script that only sends never ends",
    })
    .refine(({ steps }) => depthOf(steps) <= deepestRepeat, {
      error: `repeats must not be nested more than ${deepestRepeat} deep`,
    }),
  z.strictObject({
    kind: z.literal("http"),
    url: z.string(),
    method: z
      .string()
      .regex(/^[A-Z]+$/, "must be a method in capitals, as in POST")
      .optional(),
    headers: z.record(z.string().regex(tokenPattern), z.string().regex(/^[^\r\n\0]*$/)).default({}),
    body: payloadSchema.optional(),
    pipelining: z.int().min(1).max(1024).default(1),
    rate: z.int().min(1).max(1_000_000).optional(),
    verify: verify.optional(),
  }),
]);

export type FileTraffic = z.infer<typeof trafficSchema>;

/**
 * The traffic, with its contents.
 * @param folder that names of files count from
 * @param seed of generated contents
 * @param targetUrl that URLs of HTTP requests are relative to
 * @throws Error when a file cannot be read, or a text is none
 */
export function readTraffic(traffic: FileTraffic, folder: string, seed: number, targetUrl: string): Traffic {
  switch (traffic.kind) {
    case "idle":
      return traffic;
    case "ping":
      return { kind: "ping", intervalMs: traffic.interval };
    case "echo":
      return {
        kind: "echo",
        loop: loopOf(traffic),
        messages: messagesOf(traffic, folder, seed),
        match: traffic.match,
      };
    case "read":
      return {
        kind: "read",
        bytesPerSecond: traffic.bytesPerSecond,
        rate: traffic.rate,
        messages: messagesOf({ ...traffic, verify: "none" }, folder, seed),
      };
    case "listen":
      return { ...traffic, onOpen: traffic.onOpen.map((text) => Buffer.from(text)) };
    case "fanout": {
      const { size, ...rest } = traffic;
      return { ...rest, payloadBytes: size };
    }
    case "script":
      return { ...traffic, steps: traffic.steps.map(scriptStep) };
    case "http":
      return httpOf(traffic, folder, seed, targetUrl);
  }
}

function httpOf(
  { url, method, headers, body, pipelining, rate, verify: asked }: Extract<FileTraffic, { kind: "http" }>,
  folder: string,
  seed: number,
  targetUrl: string,
): Traffic {
  const base = targetUrl.replace(/^ws/i, "http");
  if (!URL.canParse(url, base) || !/^https?:/.test(new URL(url, base).protocol)) {
    throw new UnitError(`"${url}" is not an HTTP URL, nor a path of the target, as in /inspect`);
  }
  const content = body === undefined ? undefined : Buffer.from(contentOf(body, "text", folder, seed));
  const verified = asked ?? (content === undefined ? "none" : "full");
  if (verified !== "none" && content?.some((byte) => byte > 0x7f) === true) {
    throw new UnitError("a body that is not ASCII cannot be verified: set verify to none");
  }
  return {
    kind: "http",
    url: new URL(url, base).href,
    method: method ?? (content === undefined ? "GET" : "POST"),
    headers,
    body: content?.toString("utf8"),
    pipelining,
    requestsPerSecond: rate,
    verify: verified,
  };
}

function loopOf({ depth, rate, once, arrivals: spread }: Extract<FileTraffic, { kind: "echo" }>) {
  if (once === true) {
    return { kind: "once" } as const;
  }
  return rate === undefined
    ? ({ kind: "closed", depth: depth ?? 1 } as const)
    : ({ kind: "open", rate, arrivals: spread } as const);
}

type Described = Pick<Messages, "type" | "verify"> & { readonly payload: readonly FilePayload[] };

function messagesOf({ payload, type: kind, verify }: Described, folder: string, seed: number): Messages {
  return {
    payloads: payload.map(
      (each, index): Payload => ({
        content: contentOf(each, kind, folder, mixSeeds(seed, index)),
        weight: each.weight,
      }),
    ),
    type: kind,
    verify,
  };
}

function contentOf(payload: FilePayload, kind: Messages["type"], folder: string, seed: number): Uint8Array {
  if ("text" in payload) {
    return Buffer.from(payload.text);
  }
  if ("size" in payload) {
    return makePayload(payload.size, kind, payload.fill, seed);
  }
  const content = readFileSync(resolve(folder, payload.file));
  if (content.length > maxPayloadBytes) {
    throw new UnitError(`${payload.file} has more than the ${maxPayloadBytes} bytes allowed`);
  }
  return content;
}

function scriptStep(step: FileStep): ScriptStep {
  if ("send" in step) {
    return { kind: "send", content: Buffer.from(step.send) };
  }
  if ("expect" in step) {
    return { kind: "expect", contains: step.expect === true ? null : Buffer.from(step.expect) };
  }
  return "think" in step
    ? { kind: "think", ...step.think }
    : { kind: "repeat", times: step.repeat, steps: step.steps.map(scriptStep) };
}

function waits(steps: readonly FileStep[]): boolean {
  return steps.some((step) => "expect" in step || "think" in step || ("steps" in step && waits(step.steps)));
}

function depthOf(steps: readonly FileStep[]): number {
  return Math.max(0, ...steps.map((step) => ("steps" in step ? 1 + depthOf(step.steps) : 0)));
}
