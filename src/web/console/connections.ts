// Several connections, each with its own URL, session and log. Shows one of them.
import { byId, make } from "../ui/dom.ts";
import type { LogStore } from "./log-store.ts";
import type { Session } from "./session.ts";

/** One connection of the page. */
export interface Tab {
  readonly number: number;
  readonly session: Session;
  readonly log: LogStore;
  /** The URL and sub-protocol fields while another connection is shown. */
  url: string;
  protocols: string;
}

export interface Connections {
  /** The visible connection. */
  shown(): Tab;
  /** Draws each connection's state. */
  refresh(): void;
}

export interface ConnectionsHost {
  readonly create: (number: number) => Tab;
  /** Called after another connection is chosen; `before` is the previous one. */
  readonly show: (tab: Tab, before: Tab) => void;
}

const maxConnections = 8;
const stateNames = ["connecting", "open", "closing", "closed"];

export function createConnections({ create, show }: ConnectionsHost): Connections {
  const strip = byId("connections", HTMLDivElement);
  const add = byId("connection-add", HTMLButtonElement);
  const remove = byId("connection-remove", HTMLButtonElement);
  const buttons = new Map<Tab, HTMLButtonElement>();
  const first = create(1);
  let tabs: Tab[] = [first];
  let shown = first;

  function select(tab: Tab): void {
    const before = shown;
    shown = tab;
    show(tab, before);
    refresh();
  }

  function append(tab: Tab): void {
    const button = make("button", "connection", String(tab.number));
    button.type = "button";
    button.addEventListener("click", () => select(tab));
    buttons.set(tab, button);
    strip.append(button);
  }

  function refresh(): void {
    for (const [tab, button] of buttons) {
      const state = stateNames[tab.session.connection.readyState()] ?? "closed";
      button.dataset["state"] = tab.session.failed() && state === "closed" ? "failed" : state;
      button.setAttribute("aria-label", `Connection ${tab.number}, ${state}`);
      button.setAttribute("aria-pressed", String(tab === shown));
    }
    strip.hidden = tabs.length === 1;
    remove.hidden = tabs.length === 1;
    add.disabled = tabs.length === maxConnections;
  }

  add.addEventListener("click", () => {
    const tab = create(Math.max(...tabs.map(({ number }) => number)) + 1);
    tab.url = shown.url;
    tabs = [...tabs, tab];
    append(tab);
    select(tab);
  });
  remove.addEventListener("click", () => {
    const gone = shown;
    const next = tabs[Math.max(0, tabs.indexOf(gone) - 1)] === gone ? tabs[1] : tabs[tabs.indexOf(gone) - 1];
    if (next === undefined) {
      return;
    }
    gone.session.dispose();
    select(next);
    tabs = tabs.filter((tab) => tab !== gone);
    buttons.get(gone)?.remove();
    buttons.delete(gone);
    refresh();
  });
  append(first);
  refresh();

  return { shown: () => shown, refresh };
}
