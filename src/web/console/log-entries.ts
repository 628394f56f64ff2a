// The console's log as data: entries in order, and their text. Pure.
import { formatBytes, formatDurationUs } from "../../lib/format.ts";
import { formatTimeOfDay } from "../ui/format.ts";
import { toHex } from "../websocket/hex.ts";
import { type MessageData, payloadBytes } from "../websocket/payload.ts";

/** The four events of the WebSocket API, and `sent`. */
export type EntryKind = "open" | "sent" | "message" | "error" | "close";

export interface Entry {
  readonly id: number;
  readonly kind: EntryKind;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** The payload of `sent` and `message`; undefined for other kinds, and once dropped to save memory. */
  data: MessageData | undefined;
  /** Payload length in bytes; undefined for events without one. */
  readonly bytes: number | undefined;
  readonly type: "text" | "binary" | undefined;
  /** Round-trip time in ms of an echo. */
  readonly roundTripMs: number | undefined;
  /** One line for events without a payload, for example `1000 Normal Closure`. */
  readonly headline: string;
  /** A sentence below the headline, or an empty string. */
  readonly explanation: string;
  /** Drawn as a failure: an error, or an unrequested close. */
  readonly isFailure: boolean;
}

/** An entry before the log has numbered it. */
export type NewEntry = Omit<Entry, "id">;

/** Creates an open, error or close event at the current time. */
export function eventEntry(kind: "open" | "error" | "close", headline: string, explanation = ""): NewEntry {
  return {
    kind,
    atMs: Date.now(),
    data: undefined,
    bytes: undefined,
    type: undefined,
    roundTripMs: undefined,
    headline,
    explanation,
    isFailure: kind === "error",
  };
}

/** Creates a message at the current time. */
export function messageEntry(
  kind: "sent" | "message",
  data: MessageData,
  roundTripMs: number | undefined,
): NewEntry {
  return {
    kind,
    atMs: Date.now(),
    data,
    bytes: payloadBytes(data),
    type: typeof data === "string" ? "text" : "binary",
    roundTripMs,
    headline: "",
    explanation: "",
    isFailure: false,
  };
}

/** Which entries the log shows. */
export interface EntryFilter {
  readonly kinds: "all" | "sent" | "received" | "lifecycle";
  /** Text to search for, ignoring case; empty matches all. */
  readonly text: string;
}

/** Maximum length of a one-line preview, in characters (or a third as many bytes). */
const previewCharacters = 240;

export function matches(entry: Entry, filter: EntryFilter): boolean {
  if (filter.kinds === "sent" && entry.kind !== "sent") {
    return false;
  }
  if (filter.kinds === "received" && entry.kind !== "message") {
    return false;
  }
  if (filter.kinds === "lifecycle" && (entry.kind === "sent" || entry.kind === "message")) {
    return false;
  }
  return filter.text === "" || searchable(entry).includes(filter.text.toLowerCase());
}

/** The entry's content on one line. */
export function preview(entry: Entry): string {
  if (entry.data === undefined) {
    return entry.bytes === undefined ? entry.headline : "(payload no longer kept)";
  }
  if (entry.data.length === 0) {
    return "(empty)";
  }
  if (typeof entry.data === "string") {
    const line = entry.data.slice(0, previewCharacters).replace(/\s+/g, " ");
    return entry.data.length > previewCharacters ? `${line}…` : line;
  }
  const hex = toHex(entry.data, previewCharacters / 3);
  return entry.data.length > previewCharacters / 3 ? `${hex} …` : hex;
}

/** The log as plain text, one line per entry: time, event, type, size, round-trip time, content. */
export function asText(entries: readonly Entry[]): string {
  return entries.map(asLine).join("\n");
}

/** The log as JSON Lines; binary payloads as hexadecimal. */
export function asJsonLines(entries: readonly Entry[]): string {
  return entries
    .map((entry) =>
      JSON.stringify({
        time: new Date(entry.atMs).toISOString(),
        event: entry.kind,
        type: entry.type,
        bytes: entry.bytes,
        roundTripMs: entry.roundTripMs,
        text: typeof entry.data === "string" ? entry.data : undefined,
        hex: entry.data instanceof Uint8Array ? toHex(entry.data) : undefined,
        detail: [entry.headline, entry.explanation].filter((part) => part !== "").join(". ") || undefined,
      }),
    )
    .join("\n");
}

function asLine(entry: Entry): string {
  const parts = [formatTimeOfDay(entry.atMs), entry.kind];
  if (entry.type !== undefined) {
    parts.push(entry.type);
  }
  if (entry.bytes !== undefined) {
    parts.push(formatBytes(entry.bytes));
  }
  if (entry.roundTripMs !== undefined) {
    parts.push(formatDurationUs(entry.roundTripMs * 1000));
  }
  parts.push(preview(entry));
  if (entry.explanation !== "") {
    parts.push(entry.explanation);
  }
  return parts.join("  ");
}

function searchable(entry: Entry): string {
  const content = typeof entry.data === "string" ? entry.data : preview(entry);
  return `${entry.kind} ${content} ${entry.explanation}`.toLowerCase();
}
