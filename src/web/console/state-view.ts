// Shows the connection's live properties: readyState, bufferedAmount, protocol, extensions.

import { formatBytes } from "../../lib/format.ts";
import { byId } from "../ui/dom.ts";
import type { Connection } from "../websocket/connection.ts";

const states = ["connecting", "open", "closing", "closed"] as const;
const pills = { connecting: "Connecting", open: "Open", closing: "Closing", closed: "Closed" };

/** @param failed whether the last connection ended badly, which the pill shows once it is closed */
export function showState(connection: Connection, failed: boolean): void {
  const readyState = connection.readyState();
  const name = states[readyState] ?? "closed";
  const lost = failed && name === "closed";
  const pill = byId("state-pill", HTMLParagraphElement);
  write(pill, lost ? "Closed with an error" : pills[name]);
  pill.dataset["state"] = lost ? "failed" : name;
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
  write(byId("protocol", HTMLElement), connection.protocol() || "none");
  write(byId("extensions", HTMLElement), connection.extensions() || "none");
  const connect = byId("connect", HTMLButtonElement);
  write(
    connect,
    readyState === WebSocket.CLOSED ? "Connect" : readyState === WebSocket.CONNECTING ? "Cancel" : "Close",
  );
  connect.disabled = readyState === WebSocket.CLOSING;
  connect.classList.toggle("primary", readyState === WebSocket.CLOSED);
  connect.classList.toggle("danger", readyState !== WebSocket.CLOSED);
}

function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}
