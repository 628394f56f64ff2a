// One row of the log: a line, and for messages a body that is drawn when it is opened.

import { formatBytes, formatDurationUs } from "../../lib/format.ts";
import { copyWithFeedback, save } from "../ui/clipboard.ts";
import { make } from "../ui/dom.ts";
import { formatTimeOfDay } from "../ui/format.ts";
import { hexDump, toHex } from "../websocket/hex.ts";
import { type MessageData, prettyJson } from "../websocket/payload.ts";
import { type Entry, preview } from "./log-entries.ts";

/** How much of a payload an opened row shows. */
const shownCharacters = 64 * 1024;
const shownOctets = 4 * 1024;

export function drawEntry(entry: Entry): HTMLLIElement {
  const row = make("li", `entry ${entry.kind}${entry.isFailure ? " failed" : ""}`);
  if (entry.data === undefined) {
    row.append(make("div", "line", ...lineParts(entry)));
    return row;
  }
  const details = make("details", "");
  const summary = make("summary", "", ...lineParts(entry));
  const body = make("div", "body");
  details.append(summary, body);
  details.addEventListener("toggle", () => {
    body.replaceChildren(...(details.open ? bodyOf(entry) : []));
  });
  row.append(details);
  return row;
}

function lineParts(entry: Entry): HTMLElement[] {
  const time = make("time", "", ...splitTime(entry.atMs));
  time.dateTime = new Date(entry.atMs).toISOString();
  const parts: HTMLElement[] = [
    time,
    make("span", "kind", entry.kind),
    make("span", "preview", preview(entry)),
  ];
  if (entry.bytes !== undefined) {
    const meta = make("span", "meta");
    if (entry.roundTripMs !== undefined) {
      const roundTrip = make("span", "rtt", formatDurationUs(entry.roundTripMs * 1000));
      roundTrip.title = "Round-trip time";
      meta.append(roundTrip);
    }
    meta.append(make("span", "", entry.type ?? ""), make("span", "", formatBytes(entry.bytes)));
    parts.push(meta);
  }
  if (entry.explanation !== "") {
    parts.push(make("span", "why", entry.explanation));
  }
  return parts;
}

/** Milliseconds apart, since there is no room for them on a phone. */
function splitTime(atMs: number): [string, HTMLElement] {
  const [seconds = "", milliseconds = ""] = formatTimeOfDay(atMs).split(".");
  return [seconds, make("small", "", `.${milliseconds}`)];
}

function bodyOf(entry: Entry): HTMLElement[] {
  const { data } = entry;
  if (data === undefined) {
    return [make("p", "note", "The payload is no longer kept, to save memory.")];
  }
  const tools = make(
    "div",
    "body-tools",
    button("Copy", (self) => void copyWithFeedback(self, asCopied(data))),
  );
  tools.append(
    button("Save", () =>
      save(typeof data === "string" ? "message.txt" : "message.bin", data, "application/octet-stream"),
    ),
  );
  const cut = cutSentence(data);
  if (cut !== "") {
    tools.append(make("span", "note", cut));
  }
  return [content(data), tools];
}

function content(data: MessageData): HTMLElement {
  if (typeof data !== "string") {
    return make("pre", "", hexDump(data, shownOctets));
  }
  const text = data.slice(0, shownCharacters);
  const json = data.length <= shownCharacters ? prettyJson(data) : undefined;
  return make("pre", "wrap", json ?? text);
}

function cutSentence(data: MessageData): string {
  if (typeof data === "string") {
    return data.length > shownCharacters
      ? `The first ${formatBytes(shownCharacters)} are shown; copy and save give all.`
      : "";
  }
  return data.length > shownOctets
    ? `The first ${formatBytes(shownOctets)} of ${formatBytes(data.length)} are shown; copy and save give all.`
    : "";
}

function asCopied(data: MessageData): string {
  return typeof data === "string" ? data : toHex(data);
}

function button(label: string, act: (self: HTMLButtonElement) => void): HTMLButtonElement {
  const made = make("button", "quiet", label);
  made.type = "button";
  made.addEventListener("click", () => act(made));
  return made;
}
