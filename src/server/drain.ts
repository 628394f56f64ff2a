// Drains a server: sends every accepted echo, closes each connection with 1001, then closes the rest.
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/options.ts";
import { countTermination, type Stats, slot } from "../metrics/counters.ts";
import type { Log } from "../system/log.ts";
import { openDescriptors } from "../system/resources.ts";
import type { Backpressure } from "../websocket/backpressure.ts";
import type { EchoSocket } from "../websocket/connection.ts";

export interface DrainParts {
  readonly config: Pick<Config, "drainDelay" | "drainSpread" | "drainTimeout">;
  readonly connections: ReadonlySet<EchoSocket>;
  /** HTTP responses in progress, of several kinds. */
  readonly answers: readonly { readonly size: number }[];
  readonly backpressure: Backpressure;
  readonly stats: Stats;
  readonly log: Log;
  readonly stopListening: () => void;
  /** Aborted to end at once. */
  readonly force: AbortSignal;
}

const pollIntervalMs = 10;
/** Time for clients to close their side after the close frame, in milliseconds. */
const lingerMs = 1000;

/** Waits for load balancers, stops listening, closes each connection with 1001, and waits for their end or the timeout. */
export async function drain(parts: DrainParts): Promise<void> {
  const { config, connections, answers, backpressure, stats, log, force } = parts;
  if (config.drainDelay > 0) {
    await sleep(config.drainDelay, undefined, { signal: force }).catch(ignoreAbort);
  }
  parts.stopListening();

  const deadline = performance.now() + config.drainTimeout;
  const told = [...connections];
  const openAnswers = (): number => answers.reduce((sum, { size }) => sum + size, 0);
  const answersBefore = openAnswers();
  const descriptorsBefore = openDescriptors();
  log.info({ connections: told.length, answers: answersBefore }, "draining");
  const timers = told.map((ws) => {
    const tell = (): void => {
      if (connections.has(ws)) {
        backpressure.closeGracefully(ws, 1001, "drain");
      }
    };
    if (config.drainSpread > 0) {
      return setTimeout(tell, Math.random() * config.drainSpread);
    }
    tell();
    return undefined;
  });
  const isOut = (): boolean =>
    connections.size === 0 && openAnswers() === 0 && stats[slot.httpAnswersWaiting] === 0;
  await until(isOut, deadline, force);
  for (const timer of timers) {
    clearTimeout(timer);
  }

  // A close frame ends the WebSocket for uWS, but not the socket. Exiting now would reset connections whose client is
  // still sending, and after a reset the client's system discards unread echoes.
  if (told.length + answersBefore > 0 && descriptorsBefore !== undefined) {
    const expected = descriptorsBefore - told.length - answersBefore;
    const lingerDeadline = Math.min(deadline, performance.now() + lingerMs);
    await until(() => (openDescriptors() ?? 0) <= expected, lingerDeadline, force);
  }
  if (connections.size > 0) {
    countTermination(stats, "forced", connections.size);
    log.warn({ connections: connections.size }, "drain timeout reached: dropping the remaining connections");
  }
}

async function until(isDone: () => boolean, deadline: number, force: AbortSignal): Promise<void> {
  while (!isDone() && performance.now() < deadline && !force.aborted) {
    await sleep(pollIntervalMs);
  }
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === "AbortError")) {
    throw error;
  }
}
