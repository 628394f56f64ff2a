// One listening address of a uWS app: opens it or explains the failure, and closes and reopens it when descriptors
// run out.

import type { TemplatedApp, us_listen_socket } from "uWebSockets.js";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/options.ts";
import { UwsEchoError } from "../lib/errors.ts";
import type { Native } from "../system/uws.ts";

type OnListen = (socket: us_listen_socket | false) => void;
/** uWS also accepts options with a host; its typings omit that form. */
interface ListensOnHost {
  listen(host: string, port: number, options: number, onListen: OnListen): unknown;
}

// The values of uWS's ListenOptions, which its typings declare but its module does not export.
const sharePort = 0;
const exclusivePort = 1;

/** A listener of the server. */
export type ListenerName = "main" | "admin";

export type ListenErrorCode =
  | "ERR_ADDRESS_IN_USE"
  | "ERR_PORT_PRIVILEGED"
  | "ERR_ADDRESS_NOT_AVAILABLE"
  | "ERR_HOST_UNKNOWN"
  | "ERR_LISTEN";

/** Listening failed. `code` and the message say why, `listener` says for which listener. */
export class ListenError extends UwsEchoError<ListenErrorCode> {
  override readonly name = "ListenError";
  readonly listener: ListenerName;

  constructor(code: ListenErrorCode, listener: ListenerName, problem: string, cause: unknown) {
    super(code, problem, { cause });
    this.listener = listener;
  }
}

export interface Address {
  readonly listener: ListenerName;
  /** An IP address, a host name, or `*` for every address. */
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** Shares the port with other processes (SO_REUSEPORT), which is uWS's default. */
  readonly isShared: boolean;
}

/** A uWS app on its address. */
export class Listener {
  readonly #native: Native;
  readonly #app: TemplatedApp;
  readonly #address: Address;
  #socket: us_listen_socket | undefined;
  #port = 0;

  constructor(native: Native, app: TemplatedApp, address: Address) {
    this.#native = native;
    this.#app = app;
    this.#address = address;
  }

  get name(): ListenerName {
    return this.#address.listener;
  }

  /** The current or last port. */
  get port(): number {
    return this.#port;
  }

  get isListening(): boolean {
    return this.#socket !== undefined;
  }

  /** @throws ListenError that names the cause: in use, privileged, no such address */
  async open(): Promise<void> {
    if (!this.tryOpen()) {
      throw await explainListenFailure(this.#address);
    }
  }

  /** Opens at once, or returns false. */
  tryOpen(): boolean {
    return this.#tryOpen(this.#address.port);
  }

  /** Listens again on the same port. Returns false if that failed; try again later. */
  reopen(): boolean {
    return this.isListening || this.#tryOpen(this.#port);
  }

  close(): void {
    if (this.#socket === undefined) {
      return;
    }
    this.#native.us_listen_socket_close(this.#socket);
    this.#socket = undefined;
  }

  #tryOpen(port: number): boolean {
    const { host, isShared } = this.#address;
    // uWS calls back before listen() returns, and reports failure only by a false token.
    const onListen: OnListen = (socket) => {
      if (socket !== false) {
        this.#socket = socket;
      }
    };
    const option = isShared ? sharePort : exclusivePort;
    if (host === "*") {
      this.#app.listen(port, option, onListen);
    } else {
      (this.#app as unknown as ListensOnHost).listen(host, port, option, onListen);
    }
    if (this.#socket === undefined) {
      return false;
    }
    this.#port = this.#native.us_socket_local_port(this.#socket);
    return true;
  }
}

/** A port that is reserved until the workers listen. */
export interface PortClaim {
  readonly port: number;
  /** Call this when the workers listen, or will not. */
  release(): void;
}

/**
 * Reserves a port for processes that share it: fails like an exclusive listener, and finds a free port for 0.
 * @throws ListenError
 */
export async function claimPort(
  native: Native,
  { host, port, reusePort }: Pick<Config, "host" | "port" | "reusePort">,
): Promise<PortClaim> {
  if (reusePort && port !== 0) {
    return { port, release: () => undefined };
  }
  for (;;) {
    // SO_REUSEPORT lets two servers share a port unless one of them listens exclusively, and between this probe and the
    // first worker none does. So servers that start on one port at the same time take turns.
    const before = port === 0 ? undefined : await lockPort(port, lockTimeoutMs);
    const probe = new Listener(native, native.App(), { listener: "main", host, port, isShared: false });
    try {
      await probe.open();
    } catch (error) {
      before?.close();
      throw error;
    }
    const lock = before ?? (await lockPort(probe.port, 0));
    probe.close();
    if (port !== 0 || lock !== undefined || process.platform !== "linux") {
      return { port: probe.port, release: () => lock?.close() };
    }
  }
}

/** Time to wait for another server that starts on the same port, in milliseconds. */
const lockTimeoutMs = 10_000;
const lockPollMs = 50;

/**
 * Locks a port number with an abstract Unix socket, which ends with its process and belongs to the same network
 * namespace as the port.
 * @returns undefined if the lock is not free in time, or the system has no such sockets
 */
async function lockPort(port: number, timeoutMs: number): Promise<Server | undefined> {
  if (process.platform !== "linux") {
    return undefined;
  }
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const server = createServer().unref();
    const isMine = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(`\0uws-echo/port/${port}`, () => resolve(true));
    });
    if (isMine) {
      return server;
    }
    if (performance.now() >= deadline) {
      return undefined;
    }
    await sleep(lockPollMs);
  }
}

// uWS does not report the reason; Node does, so it tries the same.
async function explainListenFailure({ listener, host, port }: Address): Promise<ListenError> {
  const cause = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen({ port, ...(host === "*" ? {} : { host }), exclusive: true }, () => {
      server.close(() => resolve(undefined));
    });
  });
  return listenErrorFor({ listener, host, port }, cause);
}

/** Creates the error of a failure to listen from the system's error. */
export function listenErrorFor(
  { listener, host, port }: Omit<Address, "isShared">,
  cause: NodeJS.ErrnoException | undefined,
): ListenError {
  const where = `${listener === "admin" ? "admin " : ""}${host === "*" ? "port" : `address ${host} port`} ${port}`;
  const fail = (code: ListenErrorCode, why: string) =>
    new ListenError(code, listener, `${where} ${why}`, cause);
  switch (cause?.code) {
    case "EADDRINUSE":
      return fail("ERR_ADDRESS_IN_USE", "is in use by another program.");
    case "EACCES":
      return fail(
        "ERR_PORT_PRIVILEGED",
        "is privileged: ports below 1024 need root or CAP_NET_BIND_SERVICE.",
      );
    case "EADDRNOTAVAIL":
      return fail(
        "ERR_ADDRESS_NOT_AVAILABLE",
        `cannot be used: this machine does not have the address ${host}.`,
      );
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return fail("ERR_HOST_UNKNOWN", `cannot be used: the host name ${host} is not known.`);
    default:
      return fail(
        "ERR_LISTEN",
        `cannot be listened on${cause === undefined ? "" : ` (${cause.code ?? cause.message})`}.`,
      );
  }
}
