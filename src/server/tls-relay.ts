// One client behind TLS: what it sends goes decrypted to the uWS app on the Unix socket, what the app answers goes back
// encrypted. Each side is read only while the other takes it, so that the app sees a slow client as it would without TLS.
import { connect, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type Registration, registerPeer } from "../http/relayed-peer.ts";

/** What the relays of one server share. */
export interface RelayParts {
  /** The path of the app's Unix socket. */
  readonly path: string;
  readonly held: HeldBytes;
  /** The time without progress after which the rest for a client whose connection the app has ended is given up, in ms. */
  readonly lingerMs: number;
}

/** All reads from the app go here: each is encrypted, or copied, before the next. */
const readBuffer = Buffer.allocUnsafeSlow(128 * 1024);
/** Bytes for the client that are held while the app is still read. With one more read this is the most that waits. */
const maxHeldBytes = 128 * 1024;
/** Bytes for the app that are held while the client is still read. */
const maxUnsentBytes = 64 * 1024;
/** A full backlog of the app's socket is tried again this often, a turn of the event loop apart. */
const maxConnectAttempts = 20;

/** Bytes that wait for clients that take nothing, over all relays, and which of them to give up when they are too many. */
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
    // The one that has waited longest is first.
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

  /** @param first what the client has sent so far */
  constructor(client: TLSSocket, address: string, first: Buffer, parts: RelayParts) {
    this.address = address;
    this.#client = client;
    this.#parts = parts;
    this.#registration = registerPeer({ address, socket: client, isHttp2: false });
    client.pause();
    client.on("data", (chunk: Buffer) => this.#toApp(chunk));
    client.on("end", () => {
      this.#isClientEnded = true;
      this.#app.end();
    });
    client.on("close", () => this.destroy());
    // In one write: uWS takes a preface only together with a request.
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

  /** @returns false to stop reading, until the client has taken what is held */
  #toClient(bytes: number): boolean {
    const client = this.#client;
    // One event of the system may bring several reads, and an earlier one may have ended the relay.
    if (client.destroyed) {
      return false;
    }
    const chunk = readBuffer.subarray(0, bytes);
    // With nothing before it, a chunk is encrypted before write() returns; else it waits, and the buffer is needed again.
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

  // The app has closed the connection, or its half: what is held still goes out, then close_notify.
  #endClient(): void {
    if (!this.#isEnding) {
      this.#isEnding = true;
      this.#client.end();
      this.#client.setTimeout(this.#parts.lingerMs, () => this.destroy());
    }
  }
}
