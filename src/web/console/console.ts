// The console: joins the target form, the session, the composer and the log.
import type { Announcer } from "../ui/announcer.ts";
import { byId, showProblem } from "../ui/dom.ts";
import { readClose, type TargetResult } from "../websocket/target.ts";
import { createComposer } from "./composer.ts";
import { createLogView } from "./log-view.ts";
import { createSession } from "./session.ts";
import { showState } from "./state-view.ts";

export interface Console {
  /** The server's largest message in octets, once known. */
  setMaxPayload(bytes: number | undefined): void;
}

/** readyState and bufferedAmount change without an event, so they are read this often. */
const stateIntervalMs = 100;

/** @param target reads the URL and sub-protocol fields, and shows what is wrong with them */
export function createConsole(target: () => TargetResult, announcer: Announcer): Console {
  const log = createLogView();
  const reconnects = byId("reconnect", HTMLInputElement);
  const session = createSession({
    target,
    log: log.add,
    reconnects: () => reconnects.checked,
    changed: refresh,
    announcer,
  });
  const composer = createComposer(session.send);

  function refresh(): void {
    showState(session.connection, session.failed());
    composer.setReadyState(session.connection.readyState());
  }

  function close(): void {
    const code = byId("close-code", HTMLInputElement);
    const reason = byId("close-reason", HTMLInputElement).value;
    const read = readClose(code.value, reason);
    showProblem(
      byId("url-problem", HTMLParagraphElement),
      code,
      "problem" in read ? read.problem : undefined,
    );
    if ("problem" in read) {
      byId("options", HTMLDetailsElement).open = true;
    } else {
      session.connection.close(read.code, reason);
    }
    refresh();
  }

  byId("target", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    session.cancelReconnect();
    if (session.connection.readyState() === WebSocket.CLOSED) {
      session.connect();
    } else {
      close();
    }
  });
  reconnects.addEventListener("change", () => {
    if (!reconnects.checked) {
      session.cancelReconnect();
    }
  });
  byId("run", HTMLButtonElement).addEventListener("click", () => session.sendOnce("Hello from the browser"));
  setInterval(refresh, stateIntervalMs);
  refresh();

  return { setMaxPayload: composer.setMaxPayload };
}
