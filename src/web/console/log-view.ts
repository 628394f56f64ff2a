// Draws the console's log: rows, filter, pause, copy, download. Knows no connection.

import { formatNumber } from "../../lib/format.ts";
import { copyWithFeedback, save } from "../ui/clipboard.ts";
import { byId } from "../ui/dom.ts";
import { asJsonLines, asText, type Entry, type EntryFilter, matches, type NewEntry } from "./log-entries.ts";
import { drawEntry } from "./log-row.ts";
import { createLogStore } from "./log-store.ts";

export interface LogView {
  add(entry: NewEntry): void;
}

const histogramBounds = { entries: 1000, payloadBytes: 64 * 1024 * 1024 };
/** Within this many pixels of its end, the log follows new entries. */
const followPx = 24;

export function createLogView(): LogView {
  const store = createLogStore(histogramBounds);
  const box = byId("log", HTMLDivElement);
  const list = byId("entries", HTMLOListElement);
  const pause = byId("log-pause", HTMLButtonElement);
  const filterText = byId("filter", HTMLInputElement);
  const filterKind = byId("filter-kind", HTMLSelectElement);
  let waiting: Entry[] = [];
  let paused = false;
  let scheduled = false;

  const filter = (): EntryFilter => ({ kinds: readKinds(filterKind.value), text: filterText.value.trim() });
  const shown = () => store.entries().filter((entry) => matches(entry, filter()));

  function schedule(): void {
    if (scheduled) {
      return;
    }
    scheduled = true;
    requestAnimationFrame(draw);
  }

  function draw(): void {
    scheduled = false;
    if (paused) {
      describe();
      return;
    }
    const following = box.scrollHeight - box.scrollTop - box.clientHeight < followPx;
    const now = filter();
    list.append(...waiting.filter((entry) => matches(entry, now)).map(drawEntry));
    waiting = [];
    while (list.children.length > histogramBounds.entries) {
      list.firstElementChild?.remove();
    }
    describe();
    if (following) {
      box.scrollTop = box.scrollHeight;
    }
  }

  function redraw(): void {
    waiting = [];
    list.replaceChildren(...shown().map(drawEntry));
    describe();
    box.scrollTop = box.scrollHeight;
  }

  function describe(): void {
    const entries = store.entries().length;
    byId("log-empty", HTMLDivElement).hidden = entries > 0;
    byId("log-nothing", HTMLParagraphElement).hidden = entries === 0 || list.children.length > 0 || paused;
    byId("log-count", HTMLSpanElement).textContent = countSentence(
      list.children.length,
      entries,
      store.total(),
    );
    pause.textContent = paused
      ? `Resume${waiting.length > 0 ? ` (${formatNumber(waiting.length)})` : ""}`
      : "Pause";
  }

  filterText.addEventListener("input", redraw);
  filterKind.addEventListener("change", redraw);
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    draw();
  });
  byId("log-clear", HTMLButtonElement).addEventListener("click", () => {
    store.clear();
    redraw();
  });
  const copyButton = byId("log-copy", HTMLButtonElement);
  copyButton.addEventListener("click", () => void copyWithFeedback(copyButton, asText(shown())));
  byId("log-download", HTMLButtonElement).addEventListener("click", () => {
    const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
    save(`uws-echo-${stamp}.jsonl`, `${asJsonLines(shown())}\n`, "application/jsonl");
  });

  return {
    add(entry) {
      waiting.push(store.add(entry));
      if (waiting.length > histogramBounds.entries) {
        waiting.shift();
      }
      schedule();
    },
  };
}

function readKinds(value: string): EntryFilter["kinds"] {
  return value === "sent" || value === "received" || value === "lifecycle" ? value : "all";
}

function countSentence(shown: number, kept: number, total: number): string {
  if (total === 0) {
    return "";
  }
  if (total > kept) {
    return `last ${formatNumber(kept)} of ${formatNumber(total)}`;
  }
  return shown === kept
    ? `${formatNumber(kept)} ${kept === 1 ? "event" : "events"}`
    : `${formatNumber(shown)} of ${formatNumber(kept)}`;
}
