// Runs all checks on one or two ways to a server, and combines the findings.

import { setTimeout as sleep } from "node:timers/promises";
import {
  type Checked,
  type CheckReport,
  checkKind,
  checkVersion,
  compareFindings,
  type Finding,
  failuresOf,
  type IdleProbe,
} from "../result/check.ts";
import type { Environment } from "../result/schema.ts";
import { addressCheck, inspect } from "./address.ts";
import type { Check, Limits } from "./check.ts";
import { closingChecks } from "./closing.ts";
import { controlChecks } from "./control.ts";
import type { Target } from "./conversation.ts";
import { binary, exchange, exchangePing, text } from "./exchange.ts";
import { handshakeChecks, tlsCheck } from "./handshake.ts";
import { planIdle, startIdle } from "./idle.ts";
import { messageChecks } from "./messages.ts";
import { idleChecks } from "./silence.ts";
import { notTested, type Traits, Way } from "./way.ts";

export interface CheckOptions {
  readonly target: Target;
  /** Another way to the same server, to compare with. */
  readonly direct: Target | undefined;
  readonly limits: Limits;
  readonly environment: Environment;
  /** Ends the checks early; findings so far are kept. */
  readonly signal: AbortSignal;
  /** Called several times a second. */
  readonly onProgress?: (progress: CheckProgress) => void;
}

/** The live state of the checks. */
export interface CheckProgress {
  /** Checks that have ended, on all ways; those of idle connections are not among them. */
  readonly done: number;
  readonly all: number;
  /** Time until idle connections have been open for long enough, and the whole time. */
  readonly leftMs: number;
  readonly totalMs: number;
}

/** A report, or why there is none: no connection to one of the targets. */
export type CheckOutcome =
  | { readonly kind: "report"; readonly report: CheckReport }
  | { readonly kind: "nothing"; readonly reason: string };

const progressPeriodMs = 250;
/** Timeout for checks to report after an interruption. */
const abortGraceMs = 200;
/** Timeout of a uws-echo's `/inspect`; other servers do not answer. */
const inspectMs = 1000;

/** Expected duration: the idle connections last longest. */
export function lengthOfChecks({ idleMs }: Limits): number {
  return idleMs + 2000;
}

/** Maximum of concurrent connections on each way. */
export function connectionsNeeded(limits: Limits): number {
  return planIdle(limits.idleMs, { isEcho: true }).length + 1;
}

/** Findings about one way. */
interface Explored {
  readonly way: Way;
  /** Undefined if the server answers but opens no connection. */
  readonly traits: Traits | undefined;
  readonly noEcho: string;
}

interface Findings {
  readonly findings: ReadonlyMap<string, Finding>;
  readonly idle: readonly IdleProbe[];
}

/** Runs all checks. Ends by itself: each step has a time limit. */
export async function runChecks(options: CheckOptions): Promise<CheckOutcome> {
  const { target, direct, limits, signal, environment } = options;
  const startedAt = new Date();
  const startedMs = performance.now();
  const targets = direct === undefined ? [target] : [target, direct];
  const explored = await Promise.all(targets.map((each) => explore(new Way(each))));
  for (const each of explored) {
    if (typeof each === "string") {
      return { kind: "nothing", reason: each };
    }
  }
  const ways = explored.filter((each) => typeof each !== "string");
  const isSecure = targets.some(({ url }) => /^wss:/i.test(url));
  const checks = allChecks.filter((check) => check !== tlsCheck || isSecure);
  const live = reportProgress(options, checks.length * ways.length);
  const [through, directly] = await Promise.all(
    ways.map((each) => runWay(each, checks, limits, signal, live.onDone)),
  ).finally(live.end);
  const traits = ways[0]?.traits;
  const partial = signal.aborted ? { reason: "interrupted" } : null;
  const together = bringTogether(checks, through, directly);
  const report: CheckReport = {
    kind: checkKind,
    version: checkVersion,
    startedAt: startedAt.toISOString(),
    durationMs: performance.now() - startedMs,
    command: null,
    url: target.url,
    directUrl: direct?.url ?? null,
    idleMs: limits.idleMs,
    timeoutMs: target.timeoutMs,
    maxSizeBytes: limits.maxSizeBytes,
    isEcho: traits?.isEcho ?? null,
    isUwsEcho: traits?.isUwsEcho ?? false,
    partial,
    failures: failuresOf({ checks: together, partial }),
    checks: together,
    idle: { through: [...(through?.idle ?? [])], direct: directly === undefined ? null : [...directly.idle] },
    environment,
  };
  return { kind: "report", report };
}

/** Reports the progress until `end` is called. */
function reportProgress({ limits, onProgress }: CheckOptions, all: number) {
  const startedMs = performance.now();
  const totalMs = lengthOfChecks(limits);
  let done = 0;
  const report = (): void =>
    onProgress?.({ done, all, leftMs: Math.max(0, totalMs - (performance.now() - startedMs)), totalMs });
  report();
  const timer = setInterval(report, progressPeriodMs);
  return {
    onDone: (): void => {
      done += 1;
    },
    end: (): void => clearInterval(timer),
  };
}

/** All checks but those of idle connections, in the order of the report. */
export const allChecks: readonly Check[] = [
  ...handshakeChecks,
  addressCheck,
  ...messageChecks,
  ...controlChecks,
  ...closingChecks,
];

/** Detects a target's traits. @returns a sentence if it is unreachable */
async function explore(way: Way): Promise<Explored | string> {
  const { timeoutMs, url } = way.target;
  const opening = await way.open();
  if (opening.conversation === undefined) {
    return opening.head === undefined && opening.ending.kind !== "handshake-invalid"
      ? `${url}: ${opening.ending.detail}`
      : { way, traits: undefined, noEcho: "" };
  }
  const { conversation, head } = opening;
  const missing = exchange(conversation, text("an echo?"), timeoutMs);
  const [missingText, missingBinary, missingPong, isUwsEcho] = await Promise.all([
    missing,
    onAnother(way, async (other) => exchange(other, binary(Buffer.from("an echo?")), timeoutMs)),
    onAnother(way, (other) => exchangePing(other, Buffer.from("a pong?"), timeoutMs)),
    head.headers.has("uws-echo-instance") ||
      inspect(way, Math.min(inspectMs, timeoutMs)).then((said) => said !== undefined),
  ]);
  conversation.leave();
  const isEcho = [missingText, missingBinary].some((each) => each === undefined || each.isDamaged);
  return {
    way,
    traits: { isEcho, answersPings: missingPong === undefined, isUwsEcho },
    noEcho: missingText?.detail ?? "",
  };
}

async function onAnother<T>(
  way: Way,
  body: (conversation: Parameters<typeof exchange>[0]) => Promise<T | undefined>,
): Promise<T | { readonly detail: string; readonly isDamaged: false } | undefined> {
  const opening = await way.open();
  if (opening.conversation === undefined) {
    return { detail: opening.ending.detail, isDamaged: false };
  }
  const outcome = await body(opening.conversation);
  opening.conversation.leave();
  return outcome;
}

/** Idle connections are opened first, and wait while the other checks run one after another. */
async function runWay(
  { way, traits, noEcho }: Explored,
  checks: readonly Check[],
  limits: Limits,
  signal: AbortSignal,
  onDone: () => void,
): Promise<Findings> {
  const findings = new Map<string, Finding>();
  const started = traits === undefined ? undefined : await startIdle(way, limits.idleMs, traits, signal);
  for (const check of checks) {
    const reason = reasonAgainst(check, traits, noEcho, signal);
    findings.set(
      check.id,
      reason === undefined ? await runOne(check, way, limits, signal) : notTested(reason),
    );
    onDone();
  }
  const idle = (await started?.probes) ?? [];
  for (const { id, conclude } of idleChecks) {
    findings.set(
      id,
      traits === undefined ? notTested("no connection could be opened") : conclude(idle, traits.isEcho),
    );
  }
  way.endAll();
  return { findings, idle };
}

/** Why a check does not apply; undefined if it does. */
function reasonAgainst(
  { id, needs = [] }: Check,
  traits: Traits | undefined,
  noEcho: string,
  signal: AbortSignal,
): string | undefined {
  if (signal.aborted) {
    return "interrupted";
  }
  if (traits === undefined) {
    return id === "upgrade" ? undefined : "no connection could be opened";
  }
  const missing = needs.find((trait) => !traits[trait]);
  switch (missing) {
    case undefined:
      return undefined;
    case "isEcho":
      return `the target does not echo messages (${noEcho})`;
    case "answersPings":
      return "the target does not answer pings";
    case "isUwsEcho":
      return "only a uws-echo can be asked for this, and the target is another server";
  }
}

async function runOne(check: Check, way: Way, limits: Limits, signal: AbortSignal): Promise<Finding> {
  const over = new AbortController();
  const interrupted = new Promise<Finding>((resolve) => {
    const give = (): void => {
      void sleep(abortGraceMs).then(() => resolve(notTested("interrupted")));
    };
    signal.addEventListener("abort", give, { signal: over.signal });
  });
  try {
    return await Promise.race([check.run(way, limits), interrupted]);
  } finally {
    over.abort();
  }
}

function bringTogether(
  checks: readonly Check[],
  through: Findings | undefined,
  directly: Findings | undefined,
): Checked[] {
  return [...checks, ...idleChecks].flatMap(({ id, group, title }) => {
    const finding = through?.findings.get(id);
    const direct = directly?.findings.get(id) ?? null;
    return finding === undefined ? [] : [{ id, group, title, ...compareFindings(finding, direct) }];
  });
}
