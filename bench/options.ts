// Owns the options that describe a load: what they are called, what is allowed, and the scenario they make.
// Must not measure anything. Every problem is found before anything is started, and all are reported at once.

import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { z } from "zod";
import { makePayload, SEQUENCE_DIGITS } from "./load/payload.ts";
import { canReadProcess } from "./sampler.ts";
import type { Scenario } from "./scenario.ts";
import { parseThreshold, thresholdMetrics } from "./threshold.ts";
import { parseBytes, parseDurationMs, parseNumber, UnitError } from "./units.ts";

/** Wrong usage: exit code 2. Holds every problem that was found. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

const MAX_PAYLOAD_BYTES = 256 * 1024 * 1024;
const MAX_PAYLOADS = 1000;
/** Descriptors that the process needs for itself. */
const SPARE_DESCRIPTORS = 64;

/** A text that a parser turns into a number in a range; the parser's complaint becomes the issue. */
export function quantity(parse: (text: string) => number, range: z.ZodNumber) {
  return z
    .string()
    .transform((text, context) => attempt(context, text, () => parse(text)))
    .pipe(range);
}

function attempt<T>(context: z.RefinementCtx, input: unknown, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof UnitError)) {
      throw error;
    }
    context.issues.push({ code: "custom", message: error.message, input });
    return z.NEVER;
  }
}

/** A bounded number whose message says what is allowed. */
function within(min: number, max: number, unit = ""): z.ZodNumber {
  const message = `must be between ${min} and ${max}${unit}`;
  return z.number({ error: message }).min(min, message).max(max, message);
}

export function whole(min: number, max: number): z.ZodNumber {
  return within(min, max).int("must be a whole number");
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const headerSchema = z.string().transform((text, context): readonly [string, string] =>
  attempt(context, text, () => {
    const colon = text.indexOf(":");
    const name = text.slice(0, colon).trim();
    const value = text.slice(colon + 1).trim();
    if (colon < 1 || !TOKEN.test(name) || /[\r\n\0]/.test(value)) {
      throw new UnitError(`"${text}" is not a header: write Name: value`);
    }
    if (/^(?:sec-websocket-|upgrade$|connection$)/i.test(name)) {
      throw new UnitError(`${name} belongs to the handshake itself and cannot be set`);
    }
    return [name, value];
  }),
);

type PayloadChoice =
  | { readonly kind: "sizes"; readonly sizes: readonly number[] }
  | { readonly kind: "file"; readonly content: Buffer };

export const payloadSchema = z.string().transform(
  (text, context): PayloadChoice =>
    attempt(context, text, () => {
      if (text.startsWith("@")) {
        return { kind: "file", content: readFile(text.slice(1), MAX_PAYLOAD_BYTES) };
      }
      const sizes = text.split(",").map(parseBytes);
      if (sizes.length > MAX_PAYLOADS || sizes.some((bytes) => bytes > MAX_PAYLOAD_BYTES)) {
        throw new UnitError(`at most ${MAX_PAYLOADS} sizes of at most 256MiB each are allowed`);
      }
      return { kind: "sizes", sizes };
    }),
);

const fileSchema = z
  .string()
  .transform((path, context) => attempt(context, path, () => readFile(path).toString()));

const thresholdSchema = z
  .string()
  .transform((text, context) => attempt(context, text, () => parseThreshold(text)));

const webUrlSchema = z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" });

/** What is allowed for options that every measuring command has, by their names in camel case. */
export const commonShape = {
  connections: quantity(parseNumber, whole(1, 1_000_000)),
  duration: quantity(parseDurationMs, within(10, 7 * 86_400_000, " ms")),
  warmup: quantity(parseDurationMs, within(0, 86_400_000, " ms")),
  timeout: quantity(parseDurationMs, within(1, 3_600_000, " ms")),
  header: z.array(headerSchema),
  label: z.string().min(1, "must not be empty").optional(),
  threshold: z.array(thresholdSchema),
  pid: quantity(parseNumber, whole(1, 4_194_304))
    .refine(canReadProcess, "is not a process that can be read")
    .optional(),
  metricsUrl: webUrlSchema.optional(),
};

/** What is allowed for the options of a WebSocket load. */
const shape = {
  ...commonShape,
  depth: quantity(parseNumber, whole(1, 65_536)).optional(),
  rate: quantity(parseNumber, within(0.001, 100_000_000)).optional(),
  arrivals: z.enum(["even", "poisson"], { error: "must be even or poisson" }).optional(),
  ramp: quantity(parseNumber, within(0.1, 1_000_000)).optional(),
  payload: payloadSchema,
  type: z.enum(["text", "binary"], { error: "must be text or binary" }),
  threads: quantity(parseNumber, whole(1, 64)),
  verify: z.enum(["none", "length", "full"], { error: "must be none, length or full" }),
  subprotocol: z.array(z.string().regex(TOKEN, "must be a token: letters, digits and - . _ ~")),
  origin: z.string().regex(/^\S+$/, "must not contain white space").optional(),
  ca: fileSchema.optional(),
  insecure: z.boolean().optional(),
  engine: z.enum(["raw", "ws"], { error: "must be raw or ws" }),
  deflate: z.boolean().optional(),
};

type Values = ValuesOf<typeof shape>;

/** Where to read how the server is doing. */
export interface ServerSource {
  readonly pid: number | undefined;
  readonly metricsUrl: string | undefined;
}

export interface LoadOptions extends ServerSource {
  readonly scenario: Scenario;
  readonly thresholds: Values["threshold"];
}

export const collect = (value: string, earlier: string[]): string[] => [...earlier, value];

/** Adds the options that describe a load to a command. `readLoadOptions` takes what commander makes of them. */
export function addLoadOptions(command: Command): Command {
  return command
    .option("-c, --connections <number>", "WebSocket connections to open", "64")
    .option("-p, --depth <number>", "closed loop: messages in flight per connection (default: 1)")
    .option("-r, --rate <per second>", "open loop: messages per second over all connections, replies or not")
    .option("--arrivals <even|poisson>", "open loop: how messages are spread in time (default: even)")
    .option("-d, --duration <time>", "measured window, as in 500ms, 30s, 2m", "10s")
    .option("-w, --warmup <time>", "load before the window, never counted", "2s")
    .option("--ramp <per second>", "pace of opening connections (default: as fast as they come)")
    .option("-s, --payload <sizes|@file>", "payload size, several by comma, or the content of a file", "64")
    .option("--type <text|binary>", "type of the messages", "binary")
    .option("-t, --threads <number>", "generator threads", "1")
    .option("--verify <none|length|full>", "what of each reply is checked", "length")
    .option("-H, --header <name: value>", "header for the handshake (repeatable)", collect, [])
    .option("--subprotocol <name>", "sub-protocol to offer (repeatable)", collect, [])
    .option("--origin <origin>", "Origin header")
    .option("--ca <file>", "PEM certificates to trust instead of the system's")
    .option("--insecure", "accept any certificate")
    .option("--timeout <time>", "for a handshake, and for the last replies", "10s")
    .option("--engine <raw|ws>", "pre-built frames on bare sockets, or the ws package", "raw")
    .option("--deflate", "offer permessage-deflate (only with --engine ws)")
    .option("--label <text>", "name for tables and plots")
    .option("--pid <pid>", "server process: its CPU and memory are read from /proc")
    .option("--metrics-url <url>", "server's Prometheus page (default: /metrics of the target is tried)")
    .option(
      "--threshold <condition>",
      `fail with exit code 1 unless it holds, as in p99<5ms (repeatable; ${thresholdMetrics.join(", ")})`,
      collect,
      [],
    );
}

/**
 * Checks the options of `addLoadOptions` and the target's URL.
 * @throws UsageError with every problem
 */
export function readLoadOptions(url: string, raw: Readonly<Record<string, unknown>>): LoadOptions {
  const { values, problems } = readFields(shape, raw);
  problems.unshift(...targetProblems(url));
  problems.push(...conflicts(values, url));
  if (problems.length > 0) {
    throw new UsageError(problems);
  }
  const checked = values as Values;
  return {
    scenario: scenarioOf(url, checked),
    pid: checked.pid,
    metricsUrl: checked.metricsUrl,
    thresholds: checked.threshold,
  };
}

type Shape = Readonly<Record<string, z.ZodType>>;
type ValuesOf<S extends Shape> = { readonly [K in keyof S]: z.infer<S[K]> };

/** Each field by itself, so that one problem does not hide another. Where there is a problem, values are missing. */
export function readFields<S extends Shape>(
  shape: S,
  raw: Readonly<Record<string, unknown>>,
): { values: Partial<ValuesOf<S>>; problems: string[] } {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, schema] of Object.entries(shape)) {
    const parsed = schema.safeParse(raw[name]);
    if (parsed.success) {
      values[name] = parsed.data;
    } else {
      const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      problems.push(...parsed.error.issues.map((issue) => `${flag}: ${issue.message}`));
    }
  }
  return { values: values as Partial<ValuesOf<S>>, problems };
}

/** What is wrong with the URL of a WebSocket target. */
export function targetProblems(url: string): string[] {
  if (!URL.canParse(url) || !/^wss?:\/\//i.test(url)) {
    return [`"${url}" is not a WebSocket URL: write ws://host:port/path or wss://host:port/path`];
  }
  const { hash, username, password } = new URL(url);
  return [
    hash !== "" && `"${url}" has a fragment (${hash}), which RFC 6455 does not allow in a WebSocket URL`,
    username + password !== "" && `"${url}" holds credentials: use --header "Authorization: ..." instead`,
  ].filter((problem) => problem !== false);
}

/** Options that are each fine but not together. Those that could not be read are left out. */
function conflicts(values: Partial<Values>, url: string): string[] {
  const { rate, depth, arrivals, engine, deflate, connections, threads, ca, insecure } = values;
  const limit = descriptorLimit();
  const isSecure = /^wss:/i.test(url);
  return [
    rate !== undefined &&
      depth !== undefined &&
      "--depth belongs to the closed loop, --rate to the open one: give one",
    arrivals !== undefined && rate === undefined && "--arrivals needs --rate",
    deflate === true &&
      engine === "raw" &&
      "--deflate needs --engine ws: the raw engine sends pre-built frames",
    connections !== undefined &&
      threads !== undefined &&
      threads > connections &&
      `--threads: ${threads} threads cannot share ${connections} connections`,
    threads !== undefined &&
      threads > 4 * availableParallelism() &&
      `--threads: ${threads} is far more than this machine's ${availableParallelism()} cores`,
    connections !== undefined &&
      connections + SPARE_DESCRIPTORS > limit &&
      `--connections: ${connections} connections need more than the ${limit} file descriptors allowed (ulimit -n)`,
    !isSecure && ca !== undefined && "--ca needs a wss:// target",
    !isSecure && insecure === true && "--insecure needs a wss:// target",
    ca !== undefined && insecure === true && "--ca and --insecure contradict each other",
    ...payloadConflicts(values),
  ].filter((problem) => typeof problem === "string");
}

function payloadConflicts({ payload, type, verify }: Partial<Values>): (string | false)[] {
  if (payload?.kind !== "file" || type !== "text") {
    return [];
  }
  const { content } = payload;
  const head = content.subarray(0, SEQUENCE_DIGITS + 3);
  return [
    !isUtf8(content) && "--payload: the file is not UTF-8, which text messages must be: use --type binary",
    verify === "full" &&
      head.some((octet) => octet > 0x7f) &&
      `--verify full writes a sequence number over the first ${SEQUENCE_DIGITS} octets, which must be ASCII in a text payload`,
  ];
}

function scenarioOf(url: string, values: Values): Scenario {
  const { payload, type } = values;
  return {
    label: values.label ?? null,
    endpoint: {
      url,
      headers: values.header,
      subprotocols: values.subprotocol,
      origin: values.origin,
      caPem: values.ca,
      insecure: values.insecure ?? false,
      deflate: values.deflate ?? false,
      timeoutMs: values.timeout,
      payloads:
        payload.kind === "file" ? [payload.content] : payload.sizes.map((bytes) => makePayload(bytes, type)),
      type,
      verify: values.verify,
    },
    engine: values.engine,
    loop:
      values.rate === undefined
        ? { kind: "closed", depth: values.depth ?? 1 }
        : { kind: "open", ratePerSecond: values.rate, arrivals: values.arrivals ?? "even" },
    connections: values.connections,
    connectionsPerSecond: values.ramp,
    threads: values.threads,
    warmupMs: values.warmup,
    durationMs: values.duration,
  };
}

function readFile(path: string, maxBytes = Number.POSITIVE_INFINITY): Buffer {
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (error) {
    throw new UnitError(`cannot read the file: ${(error as Error).message}`);
  }
  if (content.length > maxBytes) {
    throw new UnitError(`the file has ${content.length} bytes, more than the ${maxBytes} allowed`);
  }
  return content;
}

/** Open files that this process may have; unlimited when the system does not tell. */
function descriptorLimit(): number {
  try {
    const [, limit = ""] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1")) ?? [];
    return limit === "" ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    return Number.POSITIVE_INFINITY; // Not Linux: the kernel will tell when it is reached.
  }
}
