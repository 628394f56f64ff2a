// Wraps one WebSocket of the browser at a time.
import type { CloseFacts } from "./close-codes.ts";
import type { MessageData } from "./payload.ts";

export interface ClosedFacts extends CloseFacts {
  readonly reason: string;
  /** True if this side requested the close. */
  readonly wanted: boolean;
}

/** Callbacks of a connection. */
export interface ConnectionListener {
  opened(): void;
  received(data: MessageData, atMs: number): void;
  failed(): void;
  closed(facts: ClosedFacts): void;
}

export interface Connection {
  /** 0 CONNECTING, 1 OPEN, 2 CLOSING, 3 CLOSED, as in the WebSocket API; 3 before the first connect. */
  readyState(): number;
  bufferedAmount(): number;
  /** The URL of the last attempt to connect; empty before the first. */
  url(): string;
  protocol(): string;
  extensions(): string;
  /** Starts connecting. Throws like the WebSocket constructor: for an invalid URL or sub-protocol. */
  connect(url: string, protocols: readonly string[]): void;
  /** Throws if the code or the reason is not allowed. */
  close(code: number, reason: string): void;
  send(data: MessageData): void;
}

export function createConnection(listener: ConnectionListener): Connection {
  let socket: WebSocket | undefined;
  let opened = false;
  let wanted = false;

  return {
    readyState: () => socket?.readyState ?? WebSocket.CLOSED,
    bufferedAmount: () => socket?.bufferedAmount ?? 0,
    url: () => socket?.url ?? "",
    protocol: () => socket?.protocol ?? "",
    extensions: () => socket?.extensions ?? "",
    connect(url, protocols) {
      const ws = new WebSocket(url, [...protocols]);
      socket = ws;
      opened = false;
      wanted = false;
      ws.binaryType = "arraybuffer";
      ws.onopen = () => {
        opened = true;
        listener.opened();
      };
      ws.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
        listener.received(
          typeof event.data === "string" ? event.data : new Uint8Array(event.data),
          performance.now(),
        );
      };
      ws.onerror = () => listener.failed();
      ws.onclose = (event) =>
        listener.closed({ code: event.code, reason: event.reason, opened, wanted, url });
    },
    close(code, reason) {
      socket?.close(code, reason);
      wanted = true;
    },
    send(data) {
      socket?.send(data);
    },
  };
}
