// Turns the content of the composer into one WebSocket message. Pure.
import { parseHex } from "./hex.ts";

/** What the composer can be set to. JSON is sent as a text message, once it has been checked. */
export type ComposerMode = "text" | "json" | "binary";

/** The data of one message: a text message is a string, a binary one is bytes. */
export type MessageData = string | Uint8Array<ArrayBuffer>;

export type PayloadResult = { readonly data: MessageData } | { readonly problem: string };

const encoder = new TextEncoder();

/** Checks what was typed in the given mode. */
export function composePayload(mode: ComposerMode, typed: string): PayloadResult {
  if (mode === "text") {
    return { data: typed };
  }
  if (mode === "json") {
    const problem = jsonProblem(typed);
    return problem === undefined ? { data: typed } : { problem };
  }
  const hex = parseHex(typed);
  return "octets" in hex ? { data: hex.octets } : hex;
}

/** Payload length in bytes, as it counts on the wire: text in UTF-8. */
export function payloadBytes(data: MessageData): number {
  return typeof data === "string" ? encoder.encode(data).length : data.length;
}

/** JSON laid out with two blanks, or undefined when the text is not JSON (or a bare word or number, which gains nothing). */
export function prettyJson(text: string): string | undefined {
  if (!/^\s*[{[]/.test(text) || jsonProblem(text) !== undefined) {
    return undefined;
  }
  return JSON.stringify(JSON.parse(text), null, 2);
}

/** `length` bytes of printable ASCII or a repeating ramp, so that a cut or shifted echo shows. */
export function syntheticPayload(type: "text" | "binary", length: number): MessageData {
  if (type === "text") {
    return "abcdefghijklmnopqrstuvwxyz0123456789".repeat(Math.ceil(length / 36)).slice(0, length);
  }
  const octets = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) {
    octets[at] = at & 0xff;
  }
  return octets;
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
