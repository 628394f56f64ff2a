// THE table of options: the source of flags, variables, --help, --print-config, the reference and the limit gauges.

import type * as z from "zod";
import { formatDuration } from "../lib/units.ts";
import { admission } from "./options/admission.ts";
import { backpressure } from "./options/backpressure.ts";
import { http } from "./options/http.ts";
import { listening } from "./options/listening.ts";
import { onDemand } from "./options/on-demand.ts";
import { pages } from "./options/pages.ts";
import { shutdown } from "./options/shutdown.ts";
import { tls } from "./options/tls.ts";
import { websocket } from "./options/websocket.ts";

/** Every option of the server, by the name that a program uses. */
export const options = {
  ...listening,
  ...websocket,
  ...backpressure,
  ...admission,
  ...http,
  ...onDemand,
  ...tls,
  ...shutdown,
  ...pages,
};

/** The effective value of every option: sizes in bytes, durations in milliseconds. */
export type Config = {
  readonly [Name in keyof typeof options]: z.output<(typeof options)[Name]["schema"]>;
};

/** Checks rules between several options. Returns one sentence for each violation. */
export function disagreements(config: Config): string[] {
  const problems: string[] = [];
  if (config.maxBackpressure < config.maxPayload) {
    problems.push(
      "--max-backpressure must be at least --max-payload, or the largest message could never be echoed",
    );
  }
  if (config.maxBuffered < config.maxBackpressure) {
    problems.push("--max-buffered must be at least --max-backpressure");
  }
  if (config.drainSpread >= config.drainTimeout) {
    problems.push(
      `--drain-spread must be below --drain-timeout (${formatDuration(config.drainTimeout)}), or the last connections would be dropped`,
    );
  }
  if (config.adminPort !== undefined && config.adminPort === config.port && config.port !== 0) {
    problems.push("--admin-port must differ from --port");
  }
  if (config.tlsCert === undefined || config.tlsKey === undefined) {
    const given = (["tlsCert", "tlsKey", "tlsCa", "tlsPassphraseFile"] as const).some(
      (name) => config[name] !== undefined,
    );
    if (given) {
      problems.push("TLS needs both --tls-cert and --tls-key");
    }
  }
  if (config.http2 && (config.tlsCert === undefined || config.tlsEngine === "uws")) {
    problems.push("--http2 needs TLS: --tls-cert and --tls-key, with --tls-engine node");
  }
  if (config.tlsClientAuth !== "none" && config.tlsCa === undefined) {
    problems.push(
      `--tls-client-auth ${config.tlsClientAuth} needs --tls-ca, the authorities of the clients' certificates`,
    );
  }
  return problems;
}
