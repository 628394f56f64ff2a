// One process of the server, from its configuration to its end: builds the uWS app, mounts the endpoints, listens,
// drains. It knows neither flags nor other processes.
import type { CompressOptions, TemplatedApp } from "uWebSockets.js";
import type { Config } from "../config/options.ts";
import { type TlsFiles, tlsAppOptions } from "../config/tls.ts";
import { createAdmin } from "../http/admin.ts";
import type { Endpoint } from "../http/endpoint.ts";
import { createInspect } from "../http/inspect.ts";
import { mountEndpoints } from "../http/mount.ts";
import { createPage } from "../http/page.ts";
import { createReply, type SendReply } from "../http/reply.ts";
import { Uploads } from "../http/upload-echo.ts";
import { packageRoot } from "../lib/package.ts";
import { createStats, type Stats } from "../metrics/counters.ts";
import { type ProcessSample, ProcessSampler } from "../metrics/process-sampler.ts";
import type { Scraper } from "../metrics/scrape.ts";
import { type Log, rateLimited } from "../system/log.ts";
import { socketLimit } from "../system/resources.ts";
import { loadNative, type Native } from "../system/uws.ts";
import { createAdmission } from "../websocket/admission.ts";
import { Backpressure } from "../websocket/backpressure.ts";
import type { EchoSocket } from "../websocket/connection.ts";
import { createEcho } from "../websocket/echo.ts";
import { createLifecycle } from "../websocket/lifecycle.ts";
import { type AdminListener, openAdmin } from "./admin-listener.ts";
import { DescriptorGuard } from "./descriptor-guard.ts";
import { drain } from "./drain.ts";
import { Listener } from "./listener.ts";

/** How one process differs from the next. */
export interface Role {
  /** From 1. */
  readonly worker: number;
  /** Shares the port with other workers, and leaves the admin listener to their supervisor. */
  readonly isOneOfMany: boolean;
  /** Makes the answer to GET /metrics from this process's numbers, or asks whoever has all of them. */
  readonly createScraper: (stats: Stats, sample: () => ProcessSample) => Scraper;
  readonly log: Log;
}

export interface Serving {
  readonly port: number;
  /** Port of the admin listener, if there is one. */
  readonly adminPort: number | undefined;
  readonly stats: Stats;
  readonly scrape: Scraper;
  sample(): ProcessSample;
  /** Ends as `--drain-*` say; resolves when all sockets are closed. Calling it again does nothing more. */
  stop(): Promise<void>;
  /** Ends at once. */
  force(): void;
}

/** Warnings of one kind are logged at most this often, in milliseconds. */
const warnIntervalMs = 5000;

/**
 * Starts to serve.
 * @throws ListenError, NativeLoadError
 */
export async function serve(config: Config, role: Role): Promise<Serving> {
  const native = await loadNative();
  const { log } = role;
  const stats = createStats();
  const sampler = new ProcessSampler(role.worker);
  const scrape = role.createScraper(stats, () => sampler.read());
  const forced = new AbortController();
  let stopping: Promise<void> | undefined;

  const reply = createReply(stats);
  const { endpoints, ...echoing } = createEchoing(native, config, role, stats, reply);
  const admin = createAdmin({ reply, scrape, isReady: () => stopping === undefined, log });
  const app = createApp(native, config);
  const release = mountEndpoints(
    app,
    config.adminPort === undefined ? [...endpoints, ...admin] : endpoints,
    reply,
  );
  const isShared = config.reusePort || role.isOneOfMany;
  const listener = new Listener(native, app, {
    listener: "main",
    host: config.host,
    port: config.port,
    isShared,
  });
  const parts: { stop(): void }[] = [sampler, echoing.backpressure, echoing.uploads];
  let adminListener: AdminListener | undefined;

  function closeAll(): void {
    for (const part of parts) {
      part.stop();
    }
    listener.close();
    app.close();
    release();
    adminListener?.close();
  }
  try {
    await listener.open();
    adminListener = role.isOneOfMany ? undefined : await openAdmin(native, config, admin, reply);
  } catch (error) {
    closeAll();
    throw error;
  }

  const guard = new DescriptorGuard(socketLimit(), listener, stats, log);
  app.filter((_res, change) => (Number(change) > 0 ? guard.opened() : guard.closed()));
  echoing.onWebSocketClosed(() => guard.closed());
  parts.push(guard);

  return {
    port: listener.port,
    adminPort: adminListener?.port,
    stats,
    scrape,
    sample: () => sampler.read(),
    stop() {
      stopping ??= drain({
        config,
        connections: echoing.connections,
        uploads: echoing.uploads,
        backpressure: echoing.backpressure,
        stats,
        log,
        force: forced.signal,
        stopListening() {
          echoing.admission.stop();
          echoing.uploads.drain();
          guard.stop();
          listener.close();
        },
      }).finally(closeAll);
      return stopping;
    },
    force: () => forced.abort(),
  };
}

/** Everything that has to do with echoing, before it is on an app. */
function createEchoing(native: Native, config: Config, role: Role, stats: Stats, reply: SendReply) {
  const { log } = role;
  const now = (): number => Math.round(performance.now());
  const connections = new Set<EchoSocket>();
  let closed: () => void = () => undefined;

  const warn = rateLimited(warnIntervalMs, now, (reason, details, suppressed) =>
    log.warn({ reason, ...details, suppressed }, "slow reader closed"),
  );
  const backpressure = new Backpressure(config, stats, now, (ws, reason, bufferedBytes) =>
    warn(reason, { address: ws.getUserData().address || undefined, bufferedBytes }),
  );
  const admission = createAdmission(config, now);
  const lifecycle = createLifecycle({
    config,
    stats,
    admission,
    backpressure,
    reply,
    log,
    now,
    connections,
    onClosed: () => closed(),
  });
  const { maxUploads, stallTimeout: stallTimeoutMs } = config;
  const uploads = new Uploads({ stats, budget: backpressure.budget, reply, now, maxUploads, stallTimeoutMs });
  const compression = compressor(native, config.compression);
  const endpoints: Endpoint[] = [
    createEcho({ config, stats, backpressure, lifecycle, now, compression, httpEcho: uploads.handle }),
    createInspect(config, role.worker, reply),
  ];
  if (config.console) {
    endpoints.push(
      createPage(new URL("dist/web/page.html", packageRoot), reply, config.tlsCert !== undefined),
    );
  }
  return {
    connections,
    uploads,
    backpressure,
    admission,
    endpoints,
    onWebSocketClosed(listener: () => void) {
      closed = listener;
    },
  };
}

function createApp(native: Native, config: TlsFiles): TemplatedApp {
  const tls = tlsAppOptions(config);
  return tls === undefined ? native.App() : native.SSLApp(tls);
}

function compressor(native: Native, compression: Config["compression"]): CompressOptions {
  switch (compression) {
    case "off":
      return native.DISABLED;
    case "shared":
      return native.SHARED_COMPRESSOR | native.SHARED_DECOMPRESSOR;
    case "dedicated":
      return native.DEDICATED_COMPRESSOR_256KB | native.DEDICATED_DECOMPRESSOR;
  }
}
