// Draws the log of the visible connection: rows, filter, pause, copy, download.
import { formatNumber } from "../../lib/format.ts";
import { copyWithFeedback, save } from "../ui/clipboard.ts";
import { byId } from "../ui/dom.ts";
import { asJsonLines, asText, type Entry, type EntryFilter, matches } from "./log-entries.ts";
import { drawEntry, type RowActions, type RowEvents } from "./log-row.ts";
import { type LogStore, logBounds } from "./log-store.ts";

export interface LogView {
  /** Shows another connection's log. */
  show(log: LogStore): void;
  /** Draws an entry that was added to the visible log. */
  added(entry: Entry): void;
  /** Shows the newest row, and follows new ones. */
  follow(): void;
}

/** Within this many pixels of its end, the log follows new entries. */
const followPx = 24;

/** @param actions the buttons of an open row */
export function createLogView(first: LogStore, actions: RowActions): LogView {
  const box = byId("log", HTMLDivElement);
  const list = byId("entries", HTMLOListElement);
  const jump = byId("log-jump", HTMLButtonElement);
  const pause = byId("log-pause", HTMLButtonElement);
  let log = first;
  let waiting: Entry[] = [];
  let paused = false;
  let scheduled = false;

  const shown = () => log.entries().filter((entry) => matches(entry, readFilter()));
  const isAtEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < followPx;
  const events: RowEvents = { ...actions, toggled };
  const rows = (entries: readonly Entry[]) =>
    entries.map((entry) => drawEntry(entry, log.before(entry), events));

  // The button has a line of its own below the log, so the log's height changes with it.
  function scrollToEnd(): void {
    jump.hidden = true;
    box.scrollTop = box.scrollHeight;
  }

  function offerJump(): void {
    jump.hidden = isAtEnd();
  }

  function toggled(row: HTMLElement, isOpen: boolean): void {
    if (isOpen) {
      row.scrollIntoView({ block: "nearest" });
    }
    // A changed height is no scroll event.
    offerJump();
    if (isOpen && !jump.hidden) {
      row.scrollIntoView({ block: "nearest" });
    }
  }

  function draw(): void {
    scheduled = false;
    if (!paused) {
      const following = isAtEnd();
      const filter = readFilter();
      list.append(...rows(waiting.filter((entry) => matches(entry, filter))));
      waiting = [];
      while (list.children.length > logBounds.entries) {
        list.firstElementChild?.remove();
      }
      if (following) {
        scrollToEnd();
      }
    }
    describe();
  }

  function redraw(): void {
    waiting = [];
    list.replaceChildren(...rows(shown()));
    describe();
    scrollToEnd();
  }

  function describe(): void {
    const entries = log.entries().length;
    const drawn = list.children.length;
    byId("log-empty", HTMLDivElement).hidden = entries > 0;
    byId("log-nothing", HTMLParagraphElement).hidden = entries === 0 || drawn > 0 || paused;
    byId("log-count", HTMLSpanElement).textContent = countSentence(drawn, entries, log.total());
    pause.textContent = paused
      ? `Resume${waiting.length > 0 ? ` (${formatNumber(waiting.length)})` : ""}`
      : "Pause";
    offerJump();
  }

  box.addEventListener("scroll", offerJump);
  jump.addEventListener("click", scrollToEnd);
  byId("filter", HTMLInputElement).addEventListener("input", redraw);
  byId("filter-kind", HTMLSelectElement).addEventListener("change", redraw);
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    draw();
  });
  byId("log-clear", HTMLButtonElement).addEventListener("click", () => {
    log.clear();
    redraw();
  });
  wireExport(shown);

  return {
    show(next) {
      log = next;
      redraw();
    },
    added(entry) {
      waiting.push(entry);
      if (waiting.length > logBounds.entries) {
        waiting.shift();
      }
      if (!scheduled) {
        scheduled = true;
        requestAnimationFrame(draw);
      }
    },
    follow: scrollToEnd,
  };
}

function wireExport(shown: () => readonly Entry[]): void {
  const copyButton = byId("log-copy", HTMLButtonElement);
  copyButton.addEventListener("click", () => void copyWithFeedback(copyButton, asText(shown())));
  byId("log-download", HTMLButtonElement).addEventListener("click", () => {
    const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
    save(`uws-echo-${stamp}.jsonl`, `${asJsonLines(shown())}\n`, "application/jsonl");
  });
}

function readFilter(): EntryFilter {
  return {
    kinds: readKinds(byId("filter-kind", HTMLSelectElement).value),
    text: byId("filter", HTMLInputElement).value.trim(),
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
