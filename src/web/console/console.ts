// The console: joins the target form, the connections, the composer and the log.
import type { Announcer } from "../ui/announcer.ts";
import { byId, showProblem } from "../ui/dom.ts";
import { remember } from "../ui/storage.ts";
import { toHex } from "../websocket/hex.ts";
import type { MessageData } from "../websocket/payload.ts";
import { readClose, type TargetResult } from "../websocket/target.ts";
import { createComposer } from "./composer.ts";
import { createConnections, type Tab } from "./connections.ts";
import type { Draft } from "./history.ts";
import { createLogStore, logBounds } from "./log-store.ts";
import { createLogView } from "./log-view.ts";
import { createSession, type Session } from "./session.ts";
import { showReconnect, showState } from "./state-view.ts";

export interface Console {
  /** The server's largest message in bytes, once known. */
  setMaxPayload(bytes: number | undefined): void;
  /** Puts a message into the composer. */
  show(draft: Draft): void;
  draft(): Draft;
  connect(): void;
}

/** Interval at which readyState and bufferedAmount are read, because they change without an event. */
const stateIntervalMs = 100;

/**
 * @param target reads the URL and sub-protocol fields, and shows their problems
 * @param opened called when a connection has opened
 */
export function createConsole(target: () => TargetResult, announcer: Announcer, opened: () => void): Console {
  const reconnects = byId("reconnect", HTMLInputElement);
  const url = byId("url", HTMLInputElement);
  const protocols = byId("subprotocols", HTMLInputElement);
  let maxPayload: number | undefined;

  const connections = createConnections({
    create: createTab,
    show(tab, before) {
      before.url = url.value;
      before.protocols = protocols.value;
      url.value = tab.url;
      protocols.value = tab.protocols;
      url.dispatchEvent(new Event("input"));
      log.show(tab.log);
      refresh();
    },
  });
  const session = () => connections.shown().session;
  const log = createLogView(connections.shown().log, {
    resend: (data) => void session().send(data),
    edit: (data) => composer.show(asDraft(data)),
  });
  const composer = createComposer((data) => session().send(data), log.follow);

  function createTab(number: number): Tab {
    const store = createLogStore(logBounds);
    let lastTarget: TargetResult | undefined;
    const made: Tab = {
      number,
      log: store,
      url: url.value,
      protocols: protocols.value,
      session: createSession({
        target() {
          // A hidden connection reconnects to its last target.
          lastTarget = connections.shown() === made || lastTarget === undefined ? target() : lastTarget;
          return lastTarget;
        },
        log(entry) {
          const added = store.add(entry);
          if (connections.shown() === made) {
            log.added(added);
          }
        },
        reconnects: () => reconnects.checked,
        maxPayload: () => maxPayload,
        opened,
        changed: refresh,
        announcer,
      }),
    };
    return made;
  }

  function refresh(): void {
    const { connection, failed, reconnectsAtMs, latency } = session();
    showState(connection, failed(), reconnectsAtMs() !== undefined);
    showReconnect(reconnectsAtMs(), performance.now());
    byId("latency", HTMLSpanElement).textContent = latency.describe();
    composer.setReadyState(connection.readyState());
    connections.refresh();
  }

  wireTargetForm(session, refresh);
  reconnects.addEventListener("change", () => remember("reconnect", reconnects.checked));
  byId("run", HTMLButtonElement).addEventListener("click", () =>
    session().sendOnce("Hello from the browser"),
  );
  setInterval(refresh, stateIntervalMs);
  refresh();

  return {
    setMaxPayload(bytes) {
      maxPayload = bytes;
      composer.setMaxPayload(bytes);
    },
    show: composer.show,
    draft: composer.draft,
    connect: () => session().connect(),
  };
}

/** Wires Connect, Close, and Cancel of a planned attempt. */
function wireTargetForm(session: () => Session, refresh: () => void): void {
  const reconnects = byId("reconnect", HTMLInputElement);

  function close(): void {
    const code = byId("close-code", HTMLInputElement);
    const reason = byId("close-reason", HTMLInputElement).value;
    const read = readClose(code.value, reason);
    const problem = "problem" in read ? read.problem : undefined;
    showProblem(byId("url-problem", HTMLParagraphElement), code, problem);
    if ("problem" in read) {
      byId("options", HTMLDetailsElement).open = true;
    } else {
      session().connection.close(read.code, reason);
    }
    refresh();
  }

  byId("target", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    session().cancelReconnect();
    if (session().connection.readyState() === WebSocket.CLOSED) {
      session().connect();
    } else {
      close();
    }
  });
  reconnects.addEventListener("change", () => {
    if (!reconnects.checked) {
      session().cancelReconnect();
    }
  });
  byId("reconnect-cancel", HTMLButtonElement).addEventListener("click", () => {
    session().cancelReconnect();
    refresh();
  });
}

function asDraft(data: MessageData): Draft {
  return typeof data === "string" ? { mode: "text", typed: data } : { mode: "binary", typed: toHex(data) };
}
