// Draws one row of the log: a line, and for messages a body that is drawn on opening.
import { formatBytes, formatDurationUs, formatElapsed } from "../../lib/format.ts";
import { copyWithFeedback, save } from "../ui/clipboard.ts";
import { make } from "../ui/dom.ts";
import { formatTimeOfDay } from "../ui/format.ts";
import { hexDump, toBase64, toHex } from "../websocket/hex.ts";
import { type MessageData, prettyJson } from "../websocket/payload.ts";
import { type Entry, preview } from "./log-entries.ts";

/** Maximum of the payload that an open row shows. */
const shownCharacters = 64 * 1024;
const shownBytes = 4 * 1024;

/** The buttons of an open row. */
export interface RowActions {
  /** Sends the message again. */
  readonly resend: (data: MessageData) => void;
  /** Puts the message into the composer. */
  readonly edit: (data: MessageData) => void;
}

/** What a row calls. */
export interface RowEvents extends RowActions {
  /** The row was opened or closed by the user, and its height has changed. */
  readonly toggled: (row: HTMLElement, isOpen: boolean) => void;
}

/** @param previous the previous entry, for the time between the two */
export function drawEntry(entry: Entry, previous: Entry | undefined, events: RowEvents): HTMLLIElement {
  const row = make("li", `entry ${entry.kind}${entry.isFailure ? " failed" : ""}`);
  if (entry.bytes === undefined) {
    row.append(make("div", "line", ...lineParts(entry, previous)));
    return row;
  }
  const details = make("details", "");
  const summary = make("summary", "", ...lineParts(entry, previous));
  const body = make("div", "body");
  details.append(summary, body);
  details.addEventListener("toggle", () => {
    body.replaceChildren(...(details.open ? bodyOf(entry, events) : []));
    events.toggled(row, details.open);
  });
  row.append(details);
  return row;
}

function lineParts(entry: Entry, previous: Entry | undefined): HTMLElement[] {
  const time = make("time", "", ...splitTime(entry.atMs));
  time.dateTime = new Date(entry.atMs).toISOString();
  if (previous !== undefined) {
    time.title = `${formatElapsed(entry.atMs - previous.atMs)} after the previous event`;
  }
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

/** Separates the milliseconds, which do not fit on a phone. */
function splitTime(atMs: number): [string, HTMLElement] {
  const [seconds = "", milliseconds = ""] = formatTimeOfDay(atMs).split(".");
  return [seconds, make("small", "", `.${milliseconds}`)];
}

function bodyOf(entry: Entry, actions: RowActions): HTMLElement[] {
  const { data } = entry;
  if (data === undefined) {
    return [make("p", "note", "The payload is no longer kept, to save memory.")];
  }
  const place = make("div", "");
  const tools = make("div", "body-tools");
  const views = viewsOf(data);
  const show = (view: View) => {
    place.replaceChildren(make("pre", view.wraps ? "wrap" : "", view.draw()));
    for (const choice of tools.querySelectorAll<HTMLElement>("[data-view]")) {
      choice.setAttribute("aria-pressed", String(choice.dataset["view"] === view.name));
    }
  };
  for (const view of views) {
    const choice = button(view.name, () => show(view));
    choice.dataset["view"] = view.name;
    tools.append(choice);
  }
  tools.append(
    make("span", "spring"),
    button("Copy", (self) => void copyWithFeedback(self, asCopied(data))),
    button("Save", () =>
      save(typeof data === "string" ? "message.txt" : "message.bin", data, "application/octet-stream"),
    ),
    button("Edit", () => actions.edit(data)),
    button("Send again", () => actions.resend(data)),
  );
  const first = views[0];
  if (first !== undefined) {
    show(first);
  }
  const cut = cutSentence(data);
  return cut === "" ? [tools, place] : [tools, place, make("p", "note", cut)];
}

/** One way to show a payload. */
interface View {
  readonly name: string;
  readonly wraps: boolean;
  readonly draw: () => string;
}

/** The views of a payload, the best first. */
function viewsOf(data: MessageData): View[] {
  const bytes = (limit: number) =>
    typeof data === "string" ? new TextEncoder().encode(data.slice(0, limit)) : data.subarray(0, limit);
  const text: View = {
    name: "Text",
    wraps: true,
    draw: () =>
      typeof data === "string" ? data.slice(0, shownCharacters) : new TextDecoder().decode(bytes(shownBytes)),
  };
  const hex: View = { name: "Hex", wraps: false, draw: () => hexDump(bytes(shownBytes), shownBytes) };
  const base64: View = { name: "Base64", wraps: true, draw: () => toBase64(bytes(shownBytes)) };
  const pretty = typeof data === "string" && data.length <= shownCharacters ? prettyJson(data) : undefined;
  if (typeof data !== "string") {
    return [hex, text, base64];
  }
  return pretty === undefined
    ? [text, hex, base64]
    : [{ name: "JSON", wraps: true, draw: () => pretty }, text, hex, base64];
}

function cutSentence(data: MessageData): string {
  if (typeof data === "string") {
    return data.length > shownCharacters
      ? `Only the first ${formatBytes(shownCharacters)} are shown; Copy and Save use all.`
      : "";
  }
  return data.length > shownBytes
    ? `Only the first ${formatBytes(shownBytes)} of ${formatBytes(data.length)} are shown; Copy and Save use all.`
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
