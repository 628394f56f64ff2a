// The shape of a CheckReport, the versioned JSON file of `check`: the effect of proxies and networks between client and server.

import { z } from "zod";
import { environmentSchema } from "./schema.ts";

/** The `kind` of every CheckReport. */
export const checkKind = "uws-echo-bench/check";
/** Raised whenever a field is added or removed, or changes its meaning. */
export const checkVersion = 1;

const milliseconds = z.number().nonnegative();
/** The facts by which two routes to one server are compared. */
const factsSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

/** The finding of one check on one route. */
const findingSchema = z.strictObject({
  status: z.enum(["pass", "fails", "not-tested"]),
  /** The observation, in a sentence; for `not-tested`, the reason. */
  seen: z.string(),
  facts: factsSchema,
  /** How to fix it; null if there is nothing to fix. */
  advice: z.string().nullable(),
});

const checkedSchema = z.strictObject({
  /** For example `sizes` or `idle-ping`; stable across versions. */
  id: z.string(),
  group: z.enum(["handshake", "messages", "control", "closing", "idle"]),
  title: z.string(),
  ...findingSchema.shape,
  /** `differs`: passed, but with other facts than over `directUrl`. */
  status: z.enum(["pass", "differs", "fails", "not-tested"]),
  /** The same check over `directUrl`; null without one. */
  direct: findingSchema.nullable(),
});

/** One connection that was held open to measure how long it lasts. */
const idleProbeSchema = z.strictObject({
  /** What the client did: nothing, pings, or messages that are echoed. */
  traffic: z.enum(["silent", "ping", "data"]),
  /** The length of the silence, or the time between two pings or messages. */
  intervalMs: milliseconds,
  /** `kept`: it still returned replies. `cut`: it ended. `lost`: it stayed open without replies. */
  outcome: z.enum(["kept", "cut", "lost", "unknown"]),
  /** Time until it was cut, or for which it was kept; null if unknown. */
  afterMs: milliseconds.nullable(),
  /** How it ended, or why the outcome is unknown; null when it was kept. */
  ending: z.string().nullable(),
  /** Pings that the server sent meanwhile; all were answered. */
  serverPings: z.int().nonnegative(),
});

export const checkSchema = z.strictObject({
  kind: z.literal(checkKind),
  version: z.literal(checkVersion),
  startedAt: z.iso.datetime(),
  durationMs: milliseconds,
  /** The command line that made it, without the program; values of headers that are secret are `***`. */
  command: z.array(z.string()).nullable(),
  url: z.string(),
  /** The direct route to the same server; null without one. */
  directUrl: z.string().nullable(),
  idleMs: milliseconds,
  timeoutMs: milliseconds,
  maxSizeBytes: z.int().nonnegative(),
  /** Whether the target returns messages; null when no connection could be opened. */
  isEcho: z.boolean().nullable(),
  /** Whether the target is a uws-echo, which reports what it received. */
  isUwsEcho: z.boolean(),
  /** Why the checks ended early; null when they did not. */
  partial: z.strictObject({ reason: z.string() }).nullable(),
  /** Why the exit code is 1, one sentence each; empty when it is 0. */
  failures: z.array(z.string()),
  checks: z.array(checkedSchema),
  idle: z.strictObject({
    through: z.array(idleProbeSchema),
    direct: z.array(idleProbeSchema).nullable(),
  }),
  environment: environmentSchema,
});

export type Finding = z.infer<typeof findingSchema>;
export type Facts = z.infer<typeof factsSchema>;
export type Checked = z.infer<typeof checkedSchema>;
export type CheckGroup = Checked["group"];
export type IdleProbe = z.infer<typeof idleProbeSchema>;
export type CheckReport = z.infer<typeof checkSchema>;

/** Counts the checks by status. */
export function countStatuses({ checks }: Pick<CheckReport, "checks">): Record<Checked["status"], number> {
  const counts = { pass: 0, differs: 0, fails: 0, "not-tested": 0 };
  for (const { status } of checks) {
    counts[status] += 1;
  }
  return counts;
}

/** A sentence for each check that failed, and one when the checks were cut short. */
export function failuresOf({ checks, partial }: Pick<CheckReport, "checks" | "partial">): string[] {
  return [
    ...(partial === null ? [] : [`the checks ended early: ${partial.reason}`]),
    ...checks.flatMap(({ status, title, seen }) => (status === "fails" ? [`${title}: ${seen}`] : [])),
  ];
}

/** Merges the findings of one check on both routes. */
export function compareFindings(
  through: Finding,
  direct: Finding | null,
): Omit<Checked, "id" | "group" | "title"> {
  const isSame =
    direct === null ||
    (through.status === direct.status && JSON.stringify(through.facts) === JSON.stringify(direct.facts));
  const status = isSame || through.status === "fails" ? through.status : "differs";
  return { ...through, status, advice: adviceFor(through, direct), direct };
}

function adviceFor(through: Finding, direct: Finding | null): string | null {
  if (through.status !== "fails" || direct === null) {
    return through.advice;
  }
  const cause =
    direct.status === "fails"
      ? "the cause lies in the server"
      : direct.status === "pass"
        ? "the cause lies in between"
        : null;
  return [through.advice, cause].filter((part) => part !== null).join("; ") || null;
}
