// Turns the content of the composer into one WebSocket message. Pure.
import { parseHex } from "./hex.ts";

/** The modes of the composer. JSON is checked and sent as a text message. */
export type ComposerMode = "text" | "json" | "binary";

/** The data of one message: a text message is a string, a binary one is bytes. */
export type MessageData = string | Uint8Array<ArrayBuffer>;

export type PayloadResult = { readonly data: MessageData } | { readonly problem: string };

const encoder = new TextEncoder();

/** Converts typed text to a payload in the given mode, or returns its problem. */
export function composePayload(mode: ComposerMode, typed: string): PayloadResult {
  if (mode === "text") {
    return { data: typed };
  }
  if (mode === "json") {
    const problem = jsonProblem(typed);
    return problem === undefined ? { data: typed } : { problem };
  }
  const hex = parseHex(typed);
  return "bytes" in hex ? { data: hex.bytes } : hex;
}

/** Payload length in bytes, with text in UTF-8. */
export function payloadBytes(data: MessageData): number {
  return typeof data === "string" ? encoder.encode(data).length : data.length;
}

/** Formats JSON with an indent of two, or returns undefined if the text is not a JSON object or array. */
export function prettyJson(text: string): string | undefined {
  if (!/^\s*[{[]/.test(text) || jsonProblem(text) !== undefined) {
    return undefined;
  }
  return JSON.stringify(JSON.parse(text), null, 2);
}

/** Generates `length` bytes of printable ASCII or a repeating ramp, in which a cut or shifted echo is visible. */
export function syntheticPayload(type: "text" | "binary", length: number): MessageData {
  if (type === "text") {
    return "abcdefghijklmnopqrstuvwxyz0123456789".repeat(Math.ceil(length / 36)).slice(0, length);
  }
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) {
    bytes[at] = at & 0xff;
  }
  return bytes;
}

function jsonProblem(text: string): string | undefined {
  if (text.trim() === "") {
    return "JSON needs a value, for example {}.";
  }
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `Not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}
