// Relays one TLS client to the uWS app on the Unix socket, in both directions. Reads from one side only while the other
// accepts the bytes, so that the app notices a slow client as it would without TLS.
import { connect, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type Registration, registerPeer } from "../http/relayed-peer.ts";

/** Parts shared by the relays of one server. */
export interface RelayParts {
  /** The path of the app's Unix socket. */
  readonly path: string;
  readonly held: HeldBytes;
  /** Time without progress after which unsent bytes are dropped once the app has ended the connection, in ms. */
  readonly lingerMs: number;
}

/** Buffer of all reads from the app: each is encrypted or copied before the next. */
const readBuffer = Buffer.allocUnsafeSlow(128 * 1024);
/** Unsent bytes for the client above which the app is not read. The maximum is this plus one read. */
const maxHeldBytes = 128 * 1024;
/** Unsent bytes for the app above which the client is not read. */
const maxUnsentBytes = 64 * 1024;
/** Attempts to connect to the app while its backlog is full, one per turn of the event loop. */
const maxConnectAttempts = 20;

/** Counts unsent bytes for slow clients over all relays, and drops the slowest clients above a limit. */
export class HeldBytes {
  readonly #maxBytes: number;
  readonly #onChange: (bytes: number) => void;
  readonly #onOverflow: (address: string, bytes: number) => void;
  readonly #relays = new Map<Relay, number>();
  #total = 0;

  constructor(
    maxBytes: number,
    onChange: (bytes: number) => void,
    onOverflow: (address: string, bytes: number) => void,
  ) {
    this.#maxBytes = maxBytes;
    this.#onChange = onChange;
    this.#onOverflow = onOverflow;
  }

  hold(relay: Relay, bytes: number): void {
    this.release(relay);
    this.#relays.set(relay, bytes);
    this.#total += bytes;
    // The relay that has waited longest is first.
    for (const [slowest, slowestBytes] of this.#relays) {
      if (this.#total <= this.#maxBytes) {
        break;
      }
      this.#onOverflow(slowest.address, slowestBytes);
      slowest.destroy();
    }
    this.#onChange(this.#total);
  }

  release(relay: Relay): void {
    this.#total -= this.#relays.get(relay) ?? 0;
    this.#relays.delete(relay);
    this.#onChange(this.#total);
  }
}

/** Relays one client, from its first byte until both sides are closed. */
export class Relay {
  readonly address: string;
  readonly #client: TLSSocket;
  readonly #parts: RelayParts;
  readonly #registration: Registration;
  #app: Socket;
  #isClientPaused = true;
  #isClientEnded = false;
  #isEnding = false;

  /** @param first bytes that the client has already sent */
  constructor(client: TLSSocket, address: string, first: Buffer, parts: RelayParts) {
    this.address = address;
    this.#client = client;
    this.#parts = parts;
    this.#registration = registerPeer({ address, socket: client, isHttp2: false, requests: 0 });
    client.pause();
    client.on("data", (chunk: Buffer) => this.#toApp(chunk));
    client.on("end", () => {
      this.#isClientEnded = true;
      this.#app.end();
    });
    client.on("close", () => this.destroy());
    // In one write: uWS parses a preface only together with a request.
    this.#app = this.#connect(Buffer.concat([this.#registration.preface, first]), maxConnectAttempts);
  }

  destroy(): void {
    this.#parts.held.release(this);
    this.#registration.forget();
    this.#client.destroy();
    this.#app.destroy();
  }

  #connect(first: Buffer, attemptsLeft: number): Socket {
    const app = connect({
      path: this.#parts.path,
      allowHalfOpen: true,
      onread: { buffer: readBuffer, callback: (bytes) => this.#toClient(bytes) },
    });
    app.write(first);
    if (this.#isClientEnded) {
      app.end();
    }
    app.on("connect", () => this.#resumeClient());
    app.on("drain", () => this.#resumeClient());
    app.on("end", () => this.#endClient());
    app.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EAGAIN" && app.connecting && attemptsLeft > 0 && !this.#client.destroyed) {
        setImmediate(() => {
          this.#app = this.#connect(first, attemptsLeft - 1);
        });
      } else {
        this.destroy();
      }
    });
    return app;
  }

  #toApp(chunk: Buffer): void {
    this.#app.write(chunk);
    if (this.#app.writableLength > maxUnsentBytes) {
      this.#client.pause();
      this.#isClientPaused = true;
    }
  }

  #resumeClient(): void {
    if (this.#isClientPaused) {
      this.#isClientPaused = false;
      this.#client.resume();
    }
  }

  /** @returns false to stop reading until the client has read the unsent bytes */
  #toClient(bytes: number): boolean {
    const client = this.#client;
    // One event may deliver several reads, and an earlier one may have ended the relay.
    if (client.destroyed) {
      return false;
    }
    const chunk = readBuffer.subarray(0, bytes);
    // With an empty queue, write() encrypts the chunk before it returns; else the chunk waits and needs a copy.
    client.write(client.writableLength === 0 ? chunk : Buffer.from(chunk));
    if (client.writableLength < maxHeldBytes) {
      return true;
    }
    this.#parts.held.hold(this, client.writableLength);
    client.once("drain", () => {
      this.#parts.held.release(this);
      this.#app.resume();
    });
    return false;
  }

  // The app has closed the connection, or its half: sends the unsent bytes, then close_notify.
  #endClient(): void {
    if (!this.#isEnding) {
      this.#isEnding = true;
      this.#client.end();
      this.#client.setTimeout(this.#parts.lingerMs, () => this.destroy());
    }
  }
}
