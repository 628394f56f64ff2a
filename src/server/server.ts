// Runs the server in one process: builds the uWS app, mounts the endpoints, listens, drains.
import type { CompressOptions, TemplatedApp } from "uWebSockets.js";
import type { Config } from "../config/options.ts";
import { isTlsRelayed, tlsAppOptions } from "../config/tls.ts";
import { createAdmin } from "../http/admin.ts";
import { HttpConnections } from "../http/connections.ts";
import type { Endpoint } from "../http/endpoint.ts";
import { EventStreams } from "../http/event-streams.ts";
import { HeldAnswers } from "../http/held-answers.ts";
import { createDescribe, createInspect } from "../http/inspect.ts";
import { mountEndpoints } from "../http/mount.ts";
import { createPage } from "../http/page.ts";
import { createReply, type SendReply } from "../http/reply.ts";
import { createMainCheck } from "../http/request-checks.ts";
import { Uploads } from "../http/upload-echo.ts";
import { packageRoot } from "../lib/package.ts";
import { createStats, type Stats } from "../metrics/counters.ts";
import { type ProcessSample, ProcessSampler } from "../metrics/process-sampler.ts";
import type { Scraper } from "../metrics/scrape.ts";
import type { Log } from "../system/log.ts";
import { loadNative, type Native } from "../system/uws.ts";
import { createAdmission } from "../websocket/admission.ts";
import { Backpressure } from "../websocket/backpressure.ts";
import { connectionOf, type EchoSocket } from "../websocket/connection.ts";
import { createEcho } from "../websocket/echo.ts";
import { OnDemandMount } from "../websocket/endpoints/mount.ts";
import { createLifecycle } from "../websocket/lifecycle.ts";
import { Upgrade } from "../websocket/upgrade.ts";
import { type AdminListener, openAdmin } from "./admin-listener.ts";
import { createClosedClientLog } from "./closed-clients.ts";
import { drain } from "./drain.ts";
import { type Entrance, openEntrance } from "./entrance.ts";

/** The role of a process among several. */
export interface Role {
  /** From 1. */
  readonly worker: number;
  /** Shares the port with other workers; the supervisor has the admin listener. */
  readonly isOneOfMany: boolean;
  /** Creates the scraper: of this process's counters, or of the supervisor, which has those of all workers. */
  readonly createScraper: (stats: Stats, sample: () => ProcessSample) => Scraper;
  readonly log: Log;
  /** An inherited listening socket, for TLS. */
  readonly descriptor?: number | undefined;
  /** Keys of TLS session tickets, shared by all workers. */
  readonly ticketKeys?: Buffer | undefined;
}

export interface Serving {
  readonly port: number;
  /** Port of the admin listener, if there is one. */
  readonly adminPort: number | undefined;
  readonly stats: Stats;
  readonly scrape: Scraper;
  sample(): ProcessSample;
  /** Drains as `--drain-*` say; resolves when all sockets are closed. Further calls have no effect. */
  stop(): Promise<void>;
  /** Ends at once. */
  force(): void;
  /** Reads the TLS files again. */
  reload(): void;
}

/** Time for the last bytes of closed TLS connections, in milliseconds. */
const finishMs = 2000;

/**
 * Starts the server in this process.
 * @throws ListenError, NativeLoadError
 */
export async function serve(config: Config, role: Role): Promise<Serving> {
  const native = await loadNative();
  const { log } = role;
  const stats = createStats();
  const sampler = new ProcessSampler(role.worker);
  const sample = (): ProcessSample => ({
    ...sampler.read(),
    certificateExpirySeconds: entrance?.certificateExpirySeconds,
  });
  const scrape = role.createScraper(stats, sample);
  const forced = new AbortController();
  let entrance: Entrance | undefined;
  let stopping: Promise<void> | undefined;

  const httpConnections = new HttpConnections(config, stats, () => performance.now());
  const reply = createReply(stats, httpConnections.keepsAlive);
  const { endpoints, ...echoing } = createEchoing(native, config, role, stats, reply);
  const admin = createAdmin({ reply, scrape, isReady: () => stopping === undefined, log });
  const app = createApp(native, config);
  echoing.onDemand.mount(app);
  const release = mountEndpoints(
    app,
    config.adminPort === undefined ? [...endpoints, ...admin] : endpoints,
    reply,
    createMainCheck(config),
  );
  const isShared = config.reusePort || role.isOneOfMany;
  const { descriptor, ticketKeys } = role;
  const parts: { stop(): void }[] = [sampler, echoing.backpressure, echoing.uploads];
  let adminListener: AdminListener | undefined;

  function closeAll(): Promise<void> {
    for (const part of parts) {
      part.stop();
    }
    entrance?.close();
    app.close();
    release();
    adminListener?.close();
    return entrance?.finish(finishMs, forced.signal) ?? Promise.resolve();
  }
  try {
    const accepts = httpConnections.accepts.bind(httpConnections);
    const listening = { native, app, config, stats, log, isShared };
    entrance = await openEntrance({ ...listening, accepts, descriptor, ticketKeys });
    adminListener = role.isOneOfMany
      ? undefined
      : await openAdmin(native, config, admin, { reply, stats, log });
  } catch (error) {
    await closeAll();
    throw error;
  }
  const opened = entrance;
  echoing.onWebSocketClosed(() => opened.webSocketClosed());

  return {
    port: opened.port,
    adminPort: adminListener?.port,
    stats,
    scrape,
    sample,
    stop() {
      stopping ??= drain({
        config,
        connections: echoing.connections,
        answers: echoing.answers,
        backpressure: echoing.backpressure,
        stats,
        log,
        force: forced.signal,
        stopListening() {
          echoing.admission.stop();
          for (const answers of echoing.answers) {
            answers.drain();
          }
          opened.close();
        },
      }).finally(closeAll);
      return stopping;
    },
    force: () => forced.abort(),
    reload: () => opened.reload(),
  };
}

/** Creates everything that echoes, before it is mounted on an app. */
function createEchoing(native: Native, config: Config, role: Role, stats: Stats, reply: SendReply) {
  const { log } = role;
  const now = (): number => Math.round(performance.now());
  const connections = new Set<EchoSocket>();
  let closed: () => void = () => undefined;

  const warn = createClosedClientLog(log, now);
  const backpressure = new Backpressure(config, stats, now, (ws, reason, bufferedBytes) => {
    // A close that the client requested is not logged.
    if (reason !== "asked") {
      warn(reason, { address: connectionOf(ws).address || undefined, bufferedBytes });
    }
  });
  const admission = createAdmission(config, now);
  const lifecycle = createLifecycle({
    config,
    stats,
    admission,
    backpressure,
    log,
    now,
    connections,
    onClosed: () => closed(),
  });
  const upgrade = new Upgrade({ config, stats, admission, reply, log, now });
  const { maxUploads, stallTimeout: stallTimeoutMs } = config;
  const uploads = new Uploads({ stats, budget: backpressure.budget, reply, now, maxUploads, stallTimeoutMs });
  const compression = compressor(native, config.compression);
  const describe = createDescribe(config, role.worker);
  const streams = new EventStreams(stats, backpressure.budget);
  const held = new HeldAnswers();
  const onDemand = new OnDemandMount({
    streams,
    held,
    config,
    stats,
    backpressure,
    upgrade,
    lifecycle,
    reply,
    compression,
    describe,
    checkInspect: createMainCheck(config),
    now: () => performance.now(),
  });
  const endpoints: Endpoint[] = [
    ...createEcho({
      config,
      stats,
      backpressure,
      upgrade,
      lifecycle,
      now,
      compression,
      httpEcho: uploads.handle,
    }),
  ];
  if (config.inspect) {
    endpoints.push(createInspect(describe, config.inspectHide, reply));
  }
  endpoints.push(...onDemand.endpoints);
  if (config.console) {
    endpoints.push(
      createPage(new URL("dist/web/page.html", packageRoot), reply, config.tlsCert !== undefined),
    );
  }
  return {
    connections,
    uploads,
    answers: [uploads, streams, held],
    backpressure,
    admission,
    endpoints,
    onDemand,
    onWebSocketClosed(listener: () => void) {
      closed = listener;
    },
  };
}

function createApp(native: Native, config: Config): TemplatedApp {
  const isPlain = config.tlsCert === undefined || isTlsRelayed(config);
  return isPlain ? native.App() : native.SSLApp(tlsAppOptions(config));
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
