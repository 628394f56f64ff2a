// One console session: the connection, its round trips, its log entries, and trying again. Knows no form.

import { formatBytes, formatElapsed } from "../../lib/format.ts";
import type { Announcer } from "../ui/announcer.ts";
import { explainClose } from "../websocket/close-codes.ts";
import { type ClosedFacts, type Connection, createConnection } from "../websocket/connection.ts";
import { type MessageData, payloadBytes } from "../websocket/payload.ts";
import type { TargetResult } from "../websocket/target.ts";
import { eventEntry, messageEntry, type NewEntry } from "./log-entries.ts";
import { createReconnect } from "./reconnect.ts";
import { createRoundTrips } from "./round-trips.ts";

/** What a session needs from the page. */
export interface SessionHost {
  target(): TargetResult;
  log(entry: NewEntry): void;
  /** Whether a lost connection should be tried again. */
  reconnects(): boolean;
  /** Something that the page shows has changed. */
  changed(): void;
  announcer: Announcer;
}

export interface Session {
  readonly connection: Connection;
  /** The last connection failed or was lost. */
  failed(): boolean;
  connect(): void;
  cancelReconnect(): void;
  /** Sends, connecting first when closed; false when it cannot be sent now. */
  send(data: MessageData): boolean;
  /** Sends, and closes with 1000 once the echo is there. */
  sendOnce(data: MessageData): void;
}

export function createSession(host: SessionHost): Session {
  const roundTrips = createRoundTrips();
  const reconnect = createReconnect(connect);
  const connection = createConnection({ opened, received, failed: noteError, closed });
  let failed = false;
  let whenOpen: MessageData | undefined;
  let closeAfterEcho = false;

  function connect(): void {
    const wanted = host.target();
    if ("problem" in wanted || connection.readyState() !== WebSocket.CLOSED) {
      return;
    }
    failed = false;
    try {
      connection.connect(wanted.url, wanted.protocols);
      host.announcer.say("Connecting.");
    } catch (error) {
      host.log(
        eventEntry("error", `The browser refused: ${error instanceof Error ? error.message : String(error)}`),
      );
    }
    host.changed();
  }

  function send(data: MessageData): boolean {
    if (connection.readyState() === WebSocket.CLOSED) {
      reconnect.cancel();
      whenOpen = data;
      connect();
      return connection.readyState() === WebSocket.CONNECTING;
    }
    if (connection.readyState() !== WebSocket.OPEN) {
      return false;
    }
    roundTrips.sent(data, performance.now());
    connection.send(data);
    host.log(messageEntry("sent", data, undefined));
    host.changed();
    return true;
  }

  function opened(): void {
    reconnect.succeeded();
    const chosen = connection.protocol();
    host.log(eventEntry("open", chosen === "" ? "Connected" : `Connected, sub-protocol ${chosen}`));
    host.announcer.say("Open.");
    host.changed();
    const waiting = whenOpen;
    whenOpen = undefined;
    if (waiting !== undefined) {
      send(waiting);
    }
  }

  function received(data: MessageData, atMs: number): void {
    host.log(messageEntry("message", data, roundTrips.received(data, atMs)));
    host.announcer.message(`Message of ${formatBytes(payloadBytes(data))} received.`);
    if (closeAfterEcho) {
      connection.close(1000, "done");
    }
    closeAfterEcho = false;
    host.changed();
  }

  function noteError(): void {
    host.log(eventEntry("error", "The error event carries no detail; the close that follows says more."));
  }

  function closed(facts: ClosedFacts): void {
    const { name, sentence } = explainClose(facts);
    failed = facts.code === 1006 && !facts.wanted;
    whenOpen = undefined;
    closeAfterEcho = false;
    roundTrips.clear();
    const again =
      !facts.wanted && host.reconnects() ? ` Trying again in ${formatElapsed(reconnect.plan())}.` : "";
    const reason = facts.reason === "" ? "" : `, reason “${facts.reason}”`;
    host.log({
      ...eventEntry("close", `${facts.code} ${name}${reason}`, sentence + again),
      isFailure: failed,
    });
    host.announcer.say(`Closed with code ${facts.code}, ${name}.`);
    host.changed();
  }

  return {
    connection,
    failed: () => failed,
    connect,
    cancelReconnect: reconnect.cancel,
    send,
    sendOnce(data) {
      closeAfterEcho = send(data);
    },
  };
}
