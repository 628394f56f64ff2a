// Concludes from idle probes how long silence may last, and what a client must send. Pure.

import { formatElapsed } from "../../src/lib/format.ts";
import type { Finding, IdleProbe } from "../result/check.ts";
import type { Check } from "./check.ts";
import { fails, notTested, passes } from "./way.ts";

/** A client that keeps a connection should send this much earlier than the limit. */
const safeShare = 0.8;
const fastShare = 0.9;

/** The three checks of idle connections; each takes all probes of one way. */
export const idleChecks: readonly (Pick<Check, "id" | "group" | "title"> & {
  readonly conclude: (probes: readonly IdleProbe[], isEcho: boolean) => Finding;
})[] = [
  { id: "idle-silent", group: "idle", title: "silence", conclude: concludeSilence },
  {
    id: "idle-ping",
    group: "idle",
    title: "kept by pings",
    conclude: (probes) => concludeKeeping(probes, "ping"),
  },
  {
    id: "idle-data",
    group: "idle",
    title: "kept by messages",
    conclude: (probes, isEcho) =>
      isEcho ? concludeKeeping(probes, "data") : notTested("the target does not echo messages"),
  },
];

function concludeSilence(probes: readonly IdleProbe[]): Finding {
  const silent = probes.filter(({ traffic }) => traffic === "silent");
  const longest = lastKept(silent);
  const limit = limitOf(silent);
  if (limit === undefined) {
    const unknown = silent.find(({ outcome }) => outcome === "unknown");
    const pings = Math.max(0, ...silent.map(({ serverPings }) => serverPings));
    const byServer =
      pings === 0
        ? ""
        : `; ${pings} ${pings === 1 ? "ping" : "pings"} came meanwhile and ${pings === 1 ? "was" : "were"} answered`;
    // If the longest lasted, the others add nothing.
    const isKnown = longest === Math.max(...silent.map(({ intervalMs }) => intervalMs));
    return longest === undefined || !isKnown
      ? notTested(
          `${unknown?.ending ?? "no connection was silent"}${longest === undefined ? "" : ` after ${roundTime(longest)} of silence`}`,
        )
      : passes(`open after ${roundTime(longest)} of silence${byServer}`, {
          silenceMs: null,
          serverPings: pings > 0,
        });
  }
  return fails(limit.seen, adviseKeeping(probes, limit), { silenceMs: limit.stepMs, serverPings: false });
}

interface SilenceLimit {
  /** When the first silent connection ended or was found dead. */
  readonly atMs: number;
  /** The same, rounded to the tested steps, so that it repeats. */
  readonly stepMs: number;
  readonly seen: string;
  /** Says it as a sentence that begins with what is in between. */
  readonly verb: string;
}

function limitOf(silent: readonly IdleProbe[]): SilenceLimit | undefined {
  const cuts = silent.filter(({ outcome }) => outcome === "cut");
  const lost = silent.filter(({ outcome }) => outcome === "lost");
  const [first] = cuts.toSorted((a, b) => (a.afterMs ?? 0) - (b.afterMs ?? 0));
  if (first !== undefined) {
    const atMs = first.afterMs ?? 0;
    return {
      atMs,
      stepMs: Math.min(...cuts.map(({ intervalMs }) => intervalMs)),
      seen: `after ${roundTime(atMs)} of silence: ${first.ending}`,
      verb: `cuts silence after ${roundTime(atMs)}`,
    };
  }
  const [dead] = lost.toSorted((a, b) => a.intervalMs - b.intervalMs);
  if (dead === undefined) {
    return undefined;
  }
  const kept = lastKept(silent);
  const since = kept === undefined ? "" : `later than ${roundTime(kept)} and `;
  return {
    atMs: dead.intervalMs,
    stepMs: dead.intervalMs,
    seen: `after ${roundTime(dead.intervalMs)} of silence the connection is dead, though nothing has ended it: ${dead.ending}`,
    verb: `forgets silent connections ${since}within ${roundTime(dead.intervalMs)}`,
  };
}

function adviseKeeping(probes: readonly IdleProbe[], { verb, atMs }: SilenceLimit): string {
  const ping = longestKeeping(probes, "ping", atMs);
  if (ping !== undefined) {
    return `${verb}; a ping every ${roundTime(ping)} keeps it`;
  }
  const data = longestKeeping(probes, "data", atMs);
  const hasPings = probes.some(
    ({ traffic, intervalMs }) => traffic === "ping" && intervalMs < atMs * fastShare,
  );
  if (data !== undefined) {
    return `${verb}${hasPings ? " and does not count pings" : ""}; a message every ${roundTime(data)} keeps it`;
  }
  const hasData = probes.some(
    ({ traffic, intervalMs }) => traffic === "data" && intervalMs < atMs * fastShare,
  );
  if (hasPings && hasData) {
    return `ends connections after ${roundTime(atMs)} whatever is sent: clients have to reconnect`;
  }
  return hasPings
    ? `${verb} and does not count pings`
    : `${verb}; every probe was slower than that: lower --idle`;
}

/** The longest interval with which connections last, well below the limit. */
function longestKeeping(
  probes: readonly IdleProbe[],
  traffic: "ping" | "data",
  limitMs: number,
): number | undefined {
  const kept = probes
    .filter((probe) => probe.traffic === traffic && probe.outcome === "kept" && probe.intervalMs < limitMs)
    .map(({ intervalMs }) => intervalMs);
  const safe = kept.filter((intervalMs) => intervalMs <= limitMs * safeShare);
  return safe.length > 0 ? Math.max(...safe) : kept.length > 0 ? Math.min(...kept) : undefined;
}

function concludeKeeping(probes: readonly IdleProbe[], traffic: "ping" | "data"): Finding {
  const own = probes.filter((probe) => probe.traffic === traffic);
  const name = traffic === "ping" ? "ping" : "message";
  const limitMs =
    limitOf(probes.filter((probe) => probe.traffic === "silent"))?.atMs ?? Number.POSITIVE_INFINITY;
  // Intervals above or just below the limit are expected to end, and prove nothing.
  const fast = own.filter(({ intervalMs }) => intervalMs < limitMs * fastShare);
  const kept = fast.filter(({ outcome }) => outcome === "kept");
  const ended = fast.filter(({ outcome }) => outcome === "cut" || outcome === "lost");
  const [first] = ended;
  const unknown = fast.find(({ outcome }) => outcome === "unknown");
  const longest = longestKeeping(fast, traffic, limitMs);
  if (longest !== undefined) {
    const heldMs = Math.max(...kept.map(({ afterMs }) => afterMs ?? 0));
    return passes(`open after ${roundTime(heldMs)} with a ${name} every ${roundTime(longest)}`, {
      keepsMs: longest,
    });
  }
  if (first !== undefined) {
    const times = [...new Set([first, ended.at(-1) ?? first].map(({ intervalMs }) => roundTime(intervalMs)))];
    return fails(
      `a ${name} every ${times.join(" to ")} does not keep it: after ${roundTime(first.afterMs ?? 0)}: ${first.ending}`,
      null,
      { keepsMs: null },
    );
  }
  return notTested(unknown?.ending ?? `no time between two ${name}s was short enough`);
}

function lastKept(silent: readonly IdleProbe[]): number | undefined {
  const kept = silent.filter(({ outcome }) => outcome === "kept").map(({ intervalMs }) => intervalMs);
  return kept.length === 0 ? undefined : Math.max(...kept);
}

/** Times as people set them: to a tenth of a second below 10 s, then to the second; in minutes from two of them on. */
function roundTime(timeMs: number): string {
  const stepMs = timeMs < 950 ? 10 : timeMs < 10_000 ? 100 : 1000;
  const roundMs = Math.round(timeMs / stepMs) * stepMs;
  return roundMs >= 60_000 && roundMs < 120_000
    ? `${roundMs / 1000} s`
    : formatElapsed(roundMs).replace(/ min 0 s$/, " min");
}
