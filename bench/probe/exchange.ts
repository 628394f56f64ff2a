// Sends a message or a ping, and checks the reply.

import { formatBytes } from "../../src/lib/format.ts";
import { opcodes } from "../engine/frame.ts";
import type { Arrival, Conversation } from "./conversation.ts";

/** How long the right reply may take after a wrong one: servers may send messages of their own in between. */
const graceMs = 500;

/** A message that a check sends and expects back. */
export interface Message {
  readonly opcode: number;
  readonly payload: Buffer;
}

export function text(content: string): Message {
  return { opcode: opcodes.text, payload: Buffer.from(content) };
}

export function binary(payload: Buffer): Message {
  return { opcode: opcodes.binary, payload };
}

/** What arrived instead of a reply. */
export interface Missing {
  readonly detail: string;
  /** A message of the right length came, or the right bytes as another type: an echo, but a damaged one. */
  readonly isDamaged: boolean;
}

/** Sends a message in one frame. @returns undefined when it came back unchanged */
export function exchange(
  conversation: Conversation,
  message: Message,
  timeoutMs: number,
): Promise<Missing | undefined> {
  conversation.send(message.opcode, message.payload);
  return awaitMessage(conversation, message, timeoutMs);
}

/** Waits for a message. Skips others before it, which the server may send on its own. */
export async function awaitMessage(
  conversation: Conversation,
  wanted: Message,
  timeoutMs: number,
): Promise<Missing | undefined> {
  let deadlineMs = performance.now() + timeoutMs;
  let wrong: Missing | undefined;
  for (;;) {
    const arrival = await conversation.next(deadlineMs - performance.now());
    if (arrival === undefined) {
      return wrong ?? { detail: `no reply within ${timeoutMs} ms`, isDamaged: false };
    }
    if (arrival.kind === "end") {
      return wrong ?? { detail: arrival.ending.detail, isDamaged: false };
    }
    if (arrival.kind === "message") {
      if (arrival.opcode === wanted.opcode && arrival.payload.equals(wanted.payload)) {
        return undefined;
      }
      wrong = describeWrong(arrival, wanted);
      deadlineMs = Math.min(deadlineMs, performance.now() + graceMs);
    }
  }
}

function describeWrong({ opcode, payload }: Message, wanted: Message): Missing {
  const isSameBytes = payload.equals(wanted.payload);
  const detail =
    isSameBytes && opcode !== wanted.opcode
      ? `it came back as ${nameOf(opcode)}`
      : `${describe({ opcode, payload })} came instead of ${describe(wanted)}` +
        (payload.length === wanted.payload.length ? ", with other bytes" : "");
  return { detail, isDamaged: isSameBytes || payload.length === wanted.payload.length };
}

function describe({ opcode, payload }: Message): string {
  return `${formatBytes(payload.length)} of ${nameOf(opcode)}`;
}

function nameOf(opcode: number): string {
  return opcode === opcodes.text ? "text" : "binary";
}

/** Sends a ping and waits for its pong, skipping other arrivals. @returns what was wrong, or undefined */
export async function exchangePing(
  conversation: Conversation,
  payload: Buffer,
  timeoutMs: number,
): Promise<string | undefined> {
  conversation.send(opcodes.ping, payload);
  const wrong: string[] = [];
  const arrival = await awaitArrival(conversation, timeoutMs, (candidate) => {
    if (candidate.kind === "pong" && !candidate.payload.equals(payload)) {
      wrong.push(`a pong came with ${formatBytes(candidate.payload.length)} that are not those of the ping`);
    }
    return candidate.kind === "pong" && candidate.payload.equals(payload);
  });
  if (arrival?.kind === "pong") {
    return undefined;
  }
  return wrong[0] ?? (arrival?.kind === "end" ? arrival.ending.detail : `no pong within ${timeoutMs} ms`);
}

/** The first arrival that `matches`, the end, or undefined after the timeout. */
export async function awaitArrival(
  conversation: Conversation,
  timeoutMs: number,
  matches: (arrival: Arrival) => boolean,
): Promise<Arrival | undefined> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const arrival = await conversation.next(deadlineMs - performance.now());
    if (arrival === undefined || arrival.kind === "end" || matches(arrival)) {
      return arrival;
    }
  }
}
