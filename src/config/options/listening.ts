// Options for listening and for worker processes.

import { availableParallelism } from "node:os";
import * as z from "zod";
import { duration, integer, integerSchema, option, toggle } from "../option.ts";

const seconds = (milliseconds: number): number => milliseconds / 1000;
const host = z.string().regex(/^(\*|[0-9A-Za-z.:%_-]+)$/);

export const listening = {
  port: integer({
    group: "Listening",
    help: "port of /echo and the HTTP endpoints; 0 picks a free one",
    min: 0,
    max: 65_535,
    default: 9998,
  }),
  host: option({
    group: "Listening",
    type: "string",
    placeholder: "<address>",
    help: "address or host name to listen on; * is every address, IPv4 and IPv6",
    expected: "an IP address, a host name or *",
    schema: host,
    default: "*",
    format: String,
  }),
  adminPort: option({
    group: "Listening",
    type: "number | string",
    placeholder: "<n|off>",
    help: "moves /metrics and the health endpoints to a separate listener, in plain HTTP",
    expected: "a port from 0 to 65535, or off",
    schema: z.union([z.literal("off").transform(() => undefined), integerSchema(0, 65_535), z.undefined()]),
    default: undefined,
    format: (value) => (value === undefined ? "off" : String(value)),
  }),
  adminHost: option({
    group: "Listening",
    type: "string",
    placeholder: "<address>",
    help: "address of the admin listener",
    expected: "an IP address, a host name or *",
    schema: host,
    default: "*",
    format: String,
  }),
  reusePort: toggle({
    group: "Listening",
    help: "lets other servers share the port (SO_REUSEPORT); without it, a second server fails to start",
    default: false,
  }),
  workers: option({
    group: "Listening",
    type: "number | string",
    placeholder: "<n|auto>",
    help: "worker processes that share the port; auto starts one per core; the server's limits are divided among them",
    expected: "a whole number from 1 to 256, or auto",
    schema: z.union([z.literal("auto").transform(() => availableParallelism()), integerSchema(1, 256)]),
    default: 1,
    format: String,
  }),
  workerTimeout: duration({
    group: "Listening",
    help: "a worker that does not answer its supervisor for this long is killed and replaced; a start may take three times as long",
    min: 1000,
    max: 3_600_000,
    off: true,
    default: 10_000,
    limit: {
      name: "worker_timeout_seconds",
      help: "Silence after which a worker is killed and replaced, 0 for never",
      value: seconds,
      outcome: "the worker is killed and replaced",
      countedBy: ["echo_worker_hangs_total"],
    },
  }),
};
