// Options for endpoints on demand.

import { hostname } from "node:os";
import * as z from "zod";
import { tokenPattern } from "../../lib/token.ts";
import { choice, commaList, count, duration, option } from "../option.ts";

const seconds = (milliseconds: number): number => milliseconds / 1000;
const echoPath = z
  .string()
  .regex(/^\/[!-~]*$/)
  .refine((path) => !/[*:?#,]/.test(path));
const headerName = z
  .string()
  .regex(tokenPattern)
  .transform((name) => name.toLowerCase());
/** Eight hexadecimal digits. */
const randomInstance = (): string => (Math.floor(Math.random() * 2 ** 32) + 2 ** 32).toString(16).slice(1);

export const onDemand = {
  endpoints: choice({
    group: "Endpoints on demand",
    help: "endpoints to serve: none (off), those that affect only their own client (safe), or also rooms and protocol violations (all)",
    choices: ["off", "safe", "all"],
    default: "safe",
  }),
  endpointsConnections: count({
    group: "Endpoints on demand",
    help: "connections of --max-connections that endpoints on demand may use; more are refused with 503",
    min: 1,
    max: 10_000_000,
    default: 10_000,
    limit: {
      name: "endpoints_connections",
      help: "WebSocket connections that endpoints on demand may use",
      value: Number,
      outcome: "503 with Retry-After",
      countedBy: ['echo_upgrades_rejected_total{reason="endpoints_capacity"}'],
    },
  }),
  endpointsMaxDelay: duration({
    group: "Endpoints on demand",
    help: "longest delay that a client may request, for replies, handshakes and HTTP responses",
    min: 0,
    max: 60_000,
    default: 10_000,
    limit: {
      name: "endpoints_delay_seconds",
      help: "Longest delay that a client may request",
      value: seconds,
      outcome: "400; delayed echoes count as buffered bytes",
      countedBy: ["echo_delayed_bytes", "echo_delayed_dropped_total"],
    },
  }),
  echoPaths: option<"any" | readonly string[]>({
    group: "Endpoints on demand",
    type: "string | readonly string[]",
    placeholder: "<path,...|*>",
    help: "paths of the WebSocket echo; * is every otherwise unused path",
    expected: "paths such as /echo,/ separated by commas, or *",
    schema: z.union([
      z.enum(["*", "any"]).transform(() => "any" as const),
      z.string().transform(commaList).pipe(z.array(echoPath).min(1)),
      z.array(echoPath).min(1),
    ]),
    default: ["/echo"],
    format: (value) => (typeof value === "string" ? "*" : value.join(",")),
  }),
  instance: option<string>({
    group: "Endpoints on demand",
    placeholder: "<text|hostname|random|none>",
    help: "names this server in /inspect, in greet=instance, and in the header Uws-Echo-Instance of each 101",
    expected: "hostname, random, none, or printable ASCII of at most 253 characters",
    schema: z
      .string()
      .regex(/^[!-~]([ -~]{0,251}[!-~])?$/)
      .transform((text) => (text === "hostname" ? hostname() : text === "random" ? randomInstance() : text)),
    default: randomInstance,
    defaultNote: "8 random hexadecimal digits",
    format: String,
  }),
  inspectHide: option<readonly string[]>({
    group: "Endpoints on demand",
    type: "string | readonly string[]",
    placeholder: "<header,...|none>",
    help: "headers that /inspect never shows; over WebSocket it never shows Cookie, Authorization and Proxy-Authorization either",
    expected: "none, or names of headers separated by commas",
    schema: z.union([
      z.literal("none").transform(() => []),
      z.string().transform(commaList).pipe(z.array(headerName).min(1)),
      z.array(headerName),
    ]),
    default: [],
    format: (value) => (value.length === 0 ? "none" : value.join(",")),
  }),
};
