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
  /** Where it can be reached; `urls.echo` is what `new WebSocket()` takes. */
  readonly urls: ServedUrls;
  readonly port: number;
  /** What it has counted so far, by metric name and labels, for example `echo_messages_received_total{type="text"}`. */
  stats(): Promise<Readonly<Record<string, number>>>;
  /** Sends what is buffered, closes every connection with 1001 and frees the port. */
  stop(): Promise<void>;
  /** Stops, so that `await using server = await startEchoServer()` does at the end of its block. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts an echo server in this process, on a free port unless `port` says otherwise. In a worker thread it must be
 * stopped before the thread ends: uWebSockets.js aborts the whole process when a thread ends with a running server.
 *
 * @example
 * await using server = await startEchoServer({ maxPayload: "1MiB" });
 * const socket = new WebSocket(server.urls.echo);
 *
 * @param options the options of the command by their camelCase names
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
