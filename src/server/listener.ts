// One listening address of a uWS app: opens it, says why it could not, and closes and opens it again when descriptors
// run short.

import type { TemplatedApp, us_listen_socket } from "uWebSockets.js";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/options.ts";
import { UwsEchoError } from "../lib/errors.ts";
import type { Native } from "../system/uws.ts";

type OnListen = (socket: us_listen_socket | false) => void;
/** uWS takes options with a host too; its typings leave that form out. */
interface ListensOnHost {
  listen(host: string, port: number, options: number, onListen: OnListen): unknown;
}

// The values of uWS's ListenOptions, which is in its typings but not in its module.
const sharePort = 0;
const exclusivePort = 1;

/** Which of the server's listeners. */
export type ListenerName = "main" | "admin";

export type ListenErrorCode =
  | "ERR_ADDRESS_IN_USE"
  | "ERR_PORT_PRIVILEGED"
  | "ERR_ADDRESS_NOT_AVAILABLE"
  | "ERR_HOST_UNKNOWN"
  | "ERR_LISTEN";

/** An address cannot be listened on. `code` and the message say why, `listener` whose address it is. */
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
  /** 0 lets the system choose. */
  readonly port: number;
  /** Shares the port with other processes (SO_REUSEPORT). uWS does so by default, and silently. */
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

  /** The port that it listens on, or did last. */
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

  /** Opens at once, or returns false without saying why. */
  tryOpen(): boolean {
    return this.#tryOpen(this.#address.port);
  }

  /** Listens again on the same port. Returns false when that did not work; try later. */
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
    // uWS calls back before listen() returns, and reports failure by a false token only.
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

/** A port that no other server takes until its workers listen. */
export interface PortClaim {
  readonly port: number;
  /** The workers listen, or never will. */
  release(): void;
}

/**
 * Claims a port for processes that will share it: fails like an exclusive listener, and finds a free port for 0.
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
    // first worker nobody does. So servers that start on one port at a time take turns.
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

/** How long to wait for another server that starts on the same port, in milliseconds. */
const lockTimeoutMs = 10_000;
const lockPollMs = 50;

/**
 * A lock that a port's number stands for: an abstract Unix socket, which goes with its process, and is seen where the
 * port is, in one network namespace.
 * @returns undefined when it could not be had in time, or there are no such sockets
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

// uWS does not say why; Node does, so it is asked to try the same.
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

/** The error for an address that cannot be listened on, from the system's own. */
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
