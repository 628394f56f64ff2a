// Shows the connection's live properties: readyState, bufferedAmount, protocol, extensions.

import { formatBytes } from "../../lib/format.ts";
import { byId } from "../ui/dom.ts";
import type { Connection } from "../websocket/connection.ts";

const states = ["connecting", "open", "closing", "closed"] as const;
const pills = { connecting: "Connecting", open: "Open", closing: "Closing", closed: "Closed" };

/**
 * @param failed whether the last connection failed or was lost, which the pill shows once it is closed
 * @param isWaiting whether another attempt to connect is planned
 */
export function showState(connection: Connection, failed: boolean, isWaiting: boolean): void {
  const readyState = connection.readyState();
  const name = states[readyState] ?? "closed";
  const lost = failed && name === "closed";
  const pill = byId("state-pill", HTMLParagraphElement);
  write(pill, isWaiting ? "Reconnecting" : lost ? "Closed by error" : pills[name]);
  pill.dataset["state"] = isWaiting ? "connecting" : lost ? "failed" : name;
  for (const step of byId("ready-state", HTMLOListElement).children) {
    if (!(step instanceof HTMLElement)) {
      continue;
    }
    if (step.dataset["state"] === String(readyState)) {
      step.setAttribute("aria-current", "step");
    } else {
      step.removeAttribute("aria-current");
    }
  }
  write(byId("buffered-amount", HTMLElement), formatBytes(connection.bufferedAmount()));
  for (const [id, value] of [
    ["protocol", connection.protocol()],
    ["extensions", connection.extensions()],
  ] as const) {
    const place = byId(id, HTMLElement);
    write(place, value || "none");
    place.parentElement?.classList.toggle("none", value === "");
  }
  const connect = byId("connect", HTMLButtonElement);
  write(
    connect,
    readyState === WebSocket.CLOSED ? "Connect" : readyState === WebSocket.CONNECTING ? "Cancel" : "Close",
  );
  connect.disabled = readyState === WebSocket.CLOSING;
  connect.classList.toggle("primary", readyState === WebSocket.CLOSED);
  connect.classList.toggle("danger", readyState !== WebSocket.CLOSED);
}

/** Shows when the next attempt to reconnect starts, with a button to cancel it. */
export function showReconnect(atMs: number | undefined, nowMs: number): void {
  byId("reconnect-note", HTMLDivElement).hidden = atMs === undefined;
  if (atMs !== undefined) {
    const seconds = Math.max(0, (atMs - nowMs) / 1000).toFixed(1);
    write(byId("reconnect-in", HTMLSpanElement), `Trying again in ${seconds} s`);
  }
}

function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}
