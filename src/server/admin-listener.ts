// The listener of --admin-port, which serves the endpoints for operators on a separate port.
import type { Config } from "../config/options.ts";
import type { Endpoint } from "../http/endpoint.ts";
import { mountEndpoints } from "../http/mount.ts";
import type { SendReply } from "../http/reply.ts";
import type { Stats } from "../metrics/counters.ts";
import type { Log } from "../system/log.ts";
import { adminSocketLimit } from "../system/resources.ts";
import type { Native } from "../system/uws.ts";
import { DescriptorGuard } from "./descriptor-guard.ts";
import { Listener } from "./listener.ts";

/** The listener of --admin-port. */
export interface AdminListener {
  readonly port: number;
  close(): void;
}

/**
 * Opens the listener of --admin-port.
 * @throws ListenError
 */
export async function openAdmin(
  native: Native,
  config: Pick<Config, "adminPort" | "adminHost" | "reusePort">,
  endpoints: readonly Endpoint[],
  { reply, stats, log }: { readonly reply: SendReply; readonly stats: Stats; readonly log: Log },
): Promise<AdminListener | undefined> {
  if (config.adminPort === undefined) {
    return undefined;
  }
  const app = native.App();
  const release = mountEndpoints(app, endpoints, reply);
  const listener = new Listener(native, app, {
    listener: "admin",
    host: config.adminHost,
    port: config.adminPort,
    isShared: config.reusePort,
  });
  function close(): void {
    listener.close();
    app.close();
    release();
  }
  try {
    await listener.open();
  } catch (error) {
    close();
    throw error;
  }
  // uWS reports the end of every plain HTTP connection, so nothing else has to be counted.
  const guard = new DescriptorGuard(adminSocketLimit(), listener, stats, log, () => undefined);
  app.filter((_res, change) => (Number(change) > 0 ? guard.opened() : guard.closed()));
  return {
    port: listener.port,
    close() {
      guard.stop();
      close();
    },
  };
}
