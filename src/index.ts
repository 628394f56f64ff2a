// The library: starts an echo server in this process, for test suites and programs.
import { ConfigError, resolveConfig } from "./config/resolve.ts";
import type { EchoServerOptions } from "./echo-server-options.ts";
import { runSingle } from "./process/single.ts";
import type { ServedUrls } from "./server/urls.ts";
import { silentLog } from "./system/log.ts";

export { ConfigError } from "./config/resolve.ts";
export type { EchoServerOptions } from "./echo-server-options.ts";
export { type ErrorCode, UwsEchoError } from "./lib/errors.ts";
export { ListenError } from "./server/listener.ts";
export type { ServedUrls } from "./server/urls.ts";
export { NativeLoadError } from "./system/uws.ts";

/** @deprecated The name of EchoServerOptions in 0.1. */
export type ConfigInput = EchoServerOptions;

/** A running echo server. */
export interface EchoServer {
  /** The URLs of the server; pass `urls.echo` to `new WebSocket()`. */
  readonly urls: ServedUrls;
  readonly port: number;
  /** The current metrics, by name and labels, such as `echo_messages_received_total{type="text"}`. */
  stats(): Promise<Readonly<Record<string, number>>>;
  /** Sends buffered echoes, closes every connection with 1001 and frees the port. */
  stop(): Promise<void>;
  /** Calls `stop()` at the end of the block of `await using server = await startEchoServer()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts an echo server in this process, on a free port unless `port` is given. In a worker thread, stop it before the
 * thread ends: uWebSockets.js aborts the whole process when a thread ends with a running server.
 *
 * @example
 * await using server = await startEchoServer({ maxPayload: "1MiB" });
 * const socket = new WebSocket(server.urls.echo);
 *
 * @param options the command's options, in camelCase
 * @throws ConfigError with every problem of the options, ListenError, NativeLoadError
 */
export async function startEchoServer(options: EchoServerOptions = {}): Promise<EchoServer> {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const { config } = resolveConfig({ port: 0, host: "127.0.0.1", ...given }, {}, "program");
  if (config.workers > 1) {
    throw new ConfigError(["workers: the library runs in one process; use the command uws-echo for more"]);
  }
  const { urls, port, samples, stop } = await runSingle(config, silentLog());
  return { urls, port, stats: samples, stop, [Symbol.asyncDispose]: stop };
}
