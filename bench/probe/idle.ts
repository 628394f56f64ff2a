// Measures how long a connection may be silent, and what keeps it open, on many connections at once.

import { setTimeout as sleep } from "node:timers/promises";
import { opcodes } from "../engine/frame.ts";
import type { IdleProbe } from "../result/check.ts";
import type { Conversation } from "./conversation.ts";
import { exchange, exchangePing, text } from "./exchange.ts";
import type { Traits, Way } from "./way.ts";

/** Common idle timeouts and keep-alive intervals, in milliseconds. */
const usualTimesMs = [
  20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 20_000, 25_000, 30_000, 45_000, 55_000, 90_000,
  110_000, 170_000, 230_000, 290_000, 590_000, 890_000, 1_790_000,
] as const;
/** Maximum of times per kind of traffic; none is shorter than the share below of the whole time. */
const candidateLimit = 12;
const shortestShare = 0.01;

/** The tested times up to `idleMs`, in order. */
export function candidateTimes(idleMs: number): number[] {
  return usualTimesMs
    .filter((timeMs) => timeMs >= idleMs * shortestShare && timeMs < idleMs)
    .slice(-candidateLimit);
}

interface Plan {
  readonly traffic: IdleProbe["traffic"];
  readonly intervalMs: number;
  /** How long to wait. */
  readonly lengthMs: number;
}

/** Plans one connection per test, the most informative first: a target may not accept all of them. */
export function planIdle(idleMs: number, { isEcho }: Pick<Traits, "isEcho">): Plan[] {
  const times = candidateTimes(idleMs);
  const silent = [idleMs, ...times].map(
    (timeMs): Plan => ({ traffic: "silent", intervalMs: timeMs, lengthMs: timeMs }),
  );
  const busy = (traffic: "ping" | "data"): Plan[] =>
    times.map((intervalMs) => ({ traffic, intervalMs, lengthMs: idleMs }));
  return [...silent, ...busy("ping"), ...(isEcho ? busy("data") : [])];
}

/** Connections reserved for the other checks if the target refuses more. */
const spare = 4;

/** A connection that waits. */
interface Waiting {
  readonly plan: Plan;
  readonly conversation: Conversation;
  readonly outcome: Promise<IdleProbe>;
}

/**
 * Opens the connections, which wait concurrently. `probes` resolves early with the results so far when `signal`
 * fires.
 */
export async function startIdle(
  way: Way,
  idleMs: number,
  traits: Traits,
  signal: AbortSignal,
): Promise<{ readonly probes: Promise<IdleProbe[]> }> {
  const waiting: Waiting[] = [];
  const refused: IdleProbe[] = [];
  for (const plan of planIdle(idleMs, traits)) {
    // One handshake at a time: a burst may exceed rate limits.
    const opening = signal.aborted || refused.length > 0 ? undefined : await way.open();
    if (opening?.conversation !== undefined) {
      const { conversation } = opening;
      const outcome = hold(conversation, plan, traits, way.target.timeoutMs, signal);
      waiting.push({ plan, conversation, outcome });
    } else {
      refused.push(unknown(plan, opening?.ending.detail ?? refused[0]?.ending ?? "interrupted"));
    }
  }
  if (refused.length > 0) {
    for (const { plan, conversation } of waiting.splice(-spare)) {
      conversation.destroy();
      refused.push(unknown(plan, refused[0]?.ending ?? ""));
    }
  }
  return { probes: Promise.all([...waiting.map(({ outcome }) => outcome), ...refused]) };
}

function unknown({ traffic, intervalMs }: Plan, ending: string): IdleProbe {
  return { traffic, intervalMs, outcome: "unknown", afterMs: null, ending, serverPings: 0 };
}

async function hold(
  conversation: Conversation,
  { traffic, intervalMs, lengthMs }: Plan,
  traits: Traits,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<IdleProbe> {
  const sinceMs = performance.now();
  const isOver = new AbortController();
  const timer =
    traffic === "silent" ? undefined : setInterval(() => keepAlive(conversation, traffic), intervalMs);
  const waiting = sleep(lengthMs, undefined, { signal: AbortSignal.any([signal, isOver.signal]) });
  const ending = await Promise.race([waiting.catch(() => undefined), conversation.ended]);
  isOver.abort();
  clearInterval(timer);
  const about = { traffic, intervalMs, serverPings: conversation.pings };
  if (ending !== undefined) {
    return {
      ...about,
      outcome: "cut",
      afterMs: (conversation.endedMs ?? performance.now()) - sinceMs,
      ending: ending.detail,
    };
  }
  const afterMs = performance.now() - sinceMs;
  if (signal.aborted) {
    return { ...about, outcome: "unknown", afterMs, ending: "interrupted" };
  }
  conversation.clear();
  const problem = await findLife(conversation, traits, timeoutMs);
  conversation.leave();
  return problem === undefined
    ? { ...about, outcome: "kept", afterMs, ending: null }
    : { ...about, outcome: "lost", afterMs, ending: problem };
}

function keepAlive(conversation: Conversation, traffic: "ping" | "data"): void {
  if (traffic === "ping") {
    conversation.send(opcodes.ping, Buffer.from("keep"));
  } else {
    conversation.send(opcodes.text, Buffer.from("keep"));
  }
}

/** An open connection may be dead if an intermediary dropped its state. */
async function findLife(
  conversation: Conversation,
  { isEcho, answersPings }: Traits,
  timeoutMs: number,
): Promise<string | undefined> {
  if (answersPings) {
    return exchangePing(conversation, Buffer.from("alive?"), timeoutMs);
  }
  return isEcho ? (await exchange(conversation, text("alive?"), timeoutMs))?.detail : undefined;
}
