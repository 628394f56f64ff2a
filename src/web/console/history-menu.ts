// The menu of sent and saved messages.
import { byId, make } from "../ui/dom.ts";
import type { Draft, History } from "./history.ts";
import { variableNames } from "./variables.ts";

export interface HistoryMenuHost {
  readonly history: Pick<History, "drafts" | "toggleSaved">;
  /** Called with the chosen draft. */
  readonly choose: (draft: Draft) => void;
  /** The draft in the composer, for saving it. */
  readonly current: () => Draft;
  /** Called when a draft is saved or removed. */
  readonly changed: () => void;
}

export function wireHistoryMenu({ history, choose, current, changed }: HistoryMenuHost): void {
  const menu = byId("history", HTMLDetailsElement);
  const list = byId("history-list", HTMLDivElement);
  const close = () => {
    menu.open = false;
  };

  function draw(): void {
    const save = make("button", "quiet", "☆ Save this message");
    save.type = "button";
    save.addEventListener("click", () => {
      history.toggleSaved(current());
      changed();
      draw();
    });
    const drafts = history.drafts();
    const known = drafts.some(
      (draft) => draft.saved && draft.mode === current().mode && draft.typed === current().typed,
    );
    list.replaceChildren(
      ...(known ? [] : [save]),
      ...drafts.map(row),
      make(
        "p",
        "note",
        drafts.length === 0 ? "Messages that you send appear here. Alt+↑ and Alt+↓ step through them. " : "",
        `Variables: ${variableNames.map(([name]) => `{{${name}}}`).join(" ")}`,
      ),
    );
  }

  function row(draft: Draft): HTMLElement {
    const item = make(
      "button",
      "draft",
      make("span", "", draft.typed || "(empty)"),
      make("span", "note", draft.mode),
    );
    item.type = "button";
    item.addEventListener("click", () => {
      choose(draft);
      close();
      byId("message", HTMLTextAreaElement).focus();
    });
    const star = make("button", "quiet star", draft.saved ? "★" : "☆");
    star.type = "button";
    star.setAttribute("aria-label", draft.saved ? "Remove from the saved messages" : "Save this message");
    star.addEventListener("click", () => {
      history.toggleSaved(draft);
      changed();
      draw();
    });
    return make("div", "history-row", star, item);
  }

  menu.addEventListener("toggle", () => {
    if (menu.open) {
      draw();
    }
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      close();
      menu.querySelector("summary")?.focus();
    }
  });
  document.addEventListener("pointerdown", (event) => {
    if (event.target instanceof Node && !menu.contains(event.target)) {
      close();
    }
  });
}
