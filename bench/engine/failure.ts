// Describes connection failures: turns a system error into a kind and a sentence.

import { STATUS_CODES } from "node:http";
import type { Ending } from "./connection.ts";
import type { ProtocolFault } from "./frame.ts";
import type { ReplyFault } from "./payload.ts";

/** The stage in which a connection failed. */
export type Stage = "connecting" | "securing" | "handshaking" | "greeting" | "open";

/** Maximum length of a refusal's first line that is shown, in characters. */
const refusalLimit = 200;

const noDescriptor = new Set(["EMFILE", "ENFILE"]);
const noPort = new Set(["EADDRNOTAVAIL", "EADDRINUSE"]);

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

/** The first informative error: connecting to a name with several addresses fails with one error for each. */
function meaningful(error: Error): Error {
  return error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
}

/** @param where the target, as `host:port` */
export function endingOf(error: Error, stage: Stage, where: string): Ending {
  const cause = meaningful(error);
  const code = codeOf(cause);
  const said = cause.message === "" ? code : cause.message;
  if (noDescriptor.has(code)) {
    return {
      kind: "out-of-descriptors",
      detail: `no file descriptors are left (${said}): raise \`ulimit -n\``,
    };
  }
  if (noPort.has(code) && stage === "connecting") {
    return { kind: "out-of-ports", detail: `no local ports are left to connect to ${where} (${said})` };
  }
  switch (stage) {
    case "connecting":
      return { kind: "unreachable", detail: `cannot reach ${where}: ${said}` };
    case "securing":
      return { kind: "tls-failed", detail: `TLS with ${where} failed: ${said}${adviceOn(code)}` };
    case "handshaking":
      return { kind: "handshake-invalid", detail: `the connection broke during the handshake: ${said}` };
    case "greeting":
    case "open":
      return { kind: "reset", detail: `the connection broke: ${said}` };
  }
}

/** How to go on with a certificate of an unknown authority; empty for other errors. */
function adviceOn(code: string): string {
  const isUnknown = /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*)$/.test(code);
  return isUnknown ? " (--ca FILE trusts its authority, --insecure any certificate)" : "";
}

/** The target ended an open connection, with a close frame (RFC 6455 section 7.1.5) or without one. */
export function endingOfClose(code: number | undefined, reason: string): Ending {
  if (code === undefined) {
    return { kind: "closed-1006", detail: "the target ended the connection without a close frame" };
  }
  const said = reason === "" ? "" : ` (${reason})`;
  return { kind: `closed-${code}`, detail: `the target closed the connection with code ${code}${said}` };
}

/** @param missing what the first exchange was waiting for */
export function firstExchangeTimedOut(where: string, missing: string, timeoutMs: number): Ending {
  return { kind: "first-message-timeout", detail: `${missing} from ${where} within ${timeoutMs} ms` };
}

export function handshakeTimedOut(where: string, stage: Stage, timeoutMs: number): Ending {
  const what = stage === "connecting" ? "no connection" : "no answer to the handshake";
  return { kind: "handshake-timeout", detail: `${what} from ${where} within ${timeoutMs} ms` };
}

/**
 * The target answered the handshake with another status than 101.
 * @param retryAfter the header of that name
 */
export function endingOfRefusal(status: number, body: string, retryAfter?: string): Ending {
  const line = body.split("\n")[0]?.trim().slice(0, refusalLimit) ?? "";
  const said = line === "" ? "" : `: ${line}`;
  const name = `${status} ${STATUS_CODES[status] ?? ""}`.trimEnd();
  return {
    kind: "handshake-refused",
    detail: `the target refused the handshake with ${name}${said}`,
    status,
    retryAfterMs: retryAfterMs(retryAfter ?? ""),
  };
}

/** Seconds or a date (RFC 9110 section 10.2.3), at most a day; undefined for anything else. */
function retryAfterMs(text: string): number | undefined {
  const ms = /^\d+$/.test(text) ? 1000 * Number(text) : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(86_400_000, Math.max(0, ms));
}

/** The target violated RFC 6455. */
export function endingOfFault(fault: ProtocolFault): Ending {
  return { kind: `protocol-${fault}`, detail: `the target broke RFC 6455: ${fault.replaceAll("-", " ")}` };
}

const descriptions: Readonly<Record<ReplyFault, string>> = {
  "wrong-type": "a reply was not the message sent: wrong type",
  "wrong-length": "a reply was not the message sent: wrong length",
  "wrong-bytes": "a reply was not the message sent: wrong bytes",
  "wrong-sequence": "a reply was not the message sent: wrong sequence",
  "invalid-deflate": "a reply could not be decompressed (RFC 7692)",
  "surplus-reply": "more replies arrived than messages were sent",
  "duplicate-reply": "a reply came twice",
  "reordered-reply": "a reply came after one to a later message",
};

/** Faults of replies that answer no message. */
const unasked = new Set<ReplyFault>(["surplus-reply", "duplicate-reply", "reordered-reply"]);

/** A reply failed its check; the connection stays open. */
export function describeBadReply(fault: ReplyFault): {
  kind: string;
  detail: string;
  isUnasked: boolean;
} {
  return { kind: fault, detail: descriptions[fault], isUnasked: unasked.has(fault) };
}
