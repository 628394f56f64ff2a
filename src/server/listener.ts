// One listening address of a uWS app: opens it, says why it could not, and closes and opens it again when descriptors
// run short. It knows no endpoint.

import type { TemplatedApp, us_listen_socket } from "uWebSockets.js";
import { createServer } from "node:net";
import type { Native } from "../system/uws.ts";

type OnListen = (socket: us_listen_socket | false) => void;
/** uWS takes options with a host too; its typings leave that form out. */
interface ListensOnHost {
  listen(host: string, port: number, options: number, onListen: OnListen): unknown;
}

// The values of uWS's ListenOptions, which is in its typings but not in its module.
const sharePort = 0;
const exclusivePort = 1;

/** The address cannot be listened on. The message says why and what to do. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

export interface Address {
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

  /** The port that it listens on, or did last. */
  get port(): number {
    return this.#port;
  }

  get isListening(): boolean {
    return this.#socket !== undefined;
  }

  /** @throws ListenError that names the cause: in use, privileged, no such address */
  async open(): Promise<void> {
    const { host, port } = this.#address;
    if (!this.#tryOpen(port)) {
      throw new ListenError(await explainListenFailure(host, port));
    }
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

/**
 * Reserves a port for processes that will share it: fails like an exclusive listener, and finds a free port for 0.
 * @throws ListenError
 */
export async function reservePort(native: Native, host: string, port: number): Promise<number> {
  const probe = new Listener(native, native.App(), { host, port, isShared: false });
  await probe.open();
  probe.close();
  return probe.port;
}

// uWS does not say why; Node does, so it is asked to try the same.
async function explainListenFailure(host: string, port: number): Promise<string> {
  const code = await new Promise<string | undefined>((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    server.listen({ port, ...(host === "*" ? {} : { host }), exclusive: true }, () => {
      server.close(() => resolve(undefined));
    });
  });
  const where = `${host === "*" ? "port" : `${host} port`} ${port}`;
  switch (code) {
    case "EADDRINUSE":
      return `${where} is in use by another program. Choose another --port, or give --reuse-port to both to share it.`;
    case "EACCES":
      return `${where} is privileged: ports below 1024 need root or CAP_NET_BIND_SERVICE. Choose a --port from 1024 on.`;
    case "EADDRNOTAVAIL":
      return `${where} cannot be used: this machine does not have the address ${host}.`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${where} cannot be used: the host name ${host} is not known.`;
    default:
      return `${where} cannot be listened on${code === undefined ? "" : ` (${code})`}.`;
  }
}
