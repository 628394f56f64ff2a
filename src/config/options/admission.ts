// Options that limit who may connect.

import { isIP } from "node:net";
import * as z from "zod";
import { defaultMaxConnections } from "../../system/resources.ts";
import { commaList, count, option, rate } from "../option.ts";

function readOrigin(text: string, context: z.RefinementCtx): string {
  const origin = URL.canParse(text) ? new URL(text).origin : "null";
  if (origin === "null" && text !== "null") {
    context.addIssue({ code: "custom", message: `${text} is not an origin` });
    return z.NEVER;
  }
  return origin;
}
// isIP() is strict: ipaddr.js alone reads 010.0.0.0 as octal, and 10 as 0.0.0.10.
function readCidr(text: string, context: z.RefinementCtx): string {
  const [, address = "", bits] = /^([^/%]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  const widest = family === 6 ? 128 : 32;
  if (family !== 0 && Number(bits ?? widest) <= widest) {
    return `${address}/${bits ?? widest}`;
  }
  context.addIssue({ code: "custom", message: `${text} is not a network` });
  return z.NEVER;
}

export const admission = {
  maxConnections: count({
    group: "Admission",
    help: "open WebSocket connections; more are refused with 503",
    min: 1,
    max: 10_000_000,
    default: defaultMaxConnections,
    defaultNote: "from the descriptor limit, with TLS also from memory",
    limit: {
      name: "connections",
      help: "WebSocket connections that may be open",
      value: Number,
      outcome: "503 with Retry-After",
      countedBy: ['echo_upgrades_rejected_total{reason="capacity"}'],
    },
  }),
  maxConnectionsPerIp: count({
    group: "Admission",
    help: "open WebSocket connections of one client address (IPv6: one /64); more are refused with 429; 0 is off",
    min: 0,
    max: 10_000_000,
    default: 0,
    limit: {
      name: "connections_per_ip",
      help: "WebSocket connections that one address may have open, 0 for no limit",
      value: Number,
      outcome: "429 with Retry-After",
      countedBy: ['echo_upgrades_rejected_total{reason="per_ip"}'],
    },
  }),
  handshakeRate: rate({
    group: "Admission",
    help: "WebSocket handshakes per second, with a burst of as many; more are refused with 429; 0 is off",
    min: 0,
    max: 1_000_000,
    default: 0,
    limit: {
      name: "handshakes_per_second",
      help: "WebSocket handshakes accepted per second, 0 for no limit",
      value: Number,
      outcome: "429 with Retry-After",
      countedBy: ['echo_upgrades_rejected_total{reason="rate"}'],
    },
  }),
  handshakeRatePerIp: rate({
    group: "Admission",
    help: "handshakes per second of one client address (IPv6: one /64), with a burst of as many; more are refused with 429; 0 is off",
    min: 0,
    max: 1_000_000,
    default: 0,
    limit: {
      name: "handshakes_per_second_per_ip",
      help: "WebSocket handshakes of one address accepted per second, 0 for no limit",
      value: Number,
      outcome: "429 with Retry-After",
      countedBy: ['echo_upgrades_rejected_total{reason="rate_per_ip"}'],
    },
  }),
  allowOrigin: option<"any" | readonly string[]>({
    group: "Admission",
    type: "string | readonly string[]",
    placeholder: "<origin,...|any>",
    help: "origins whose pages may connect; others are refused with 403; clients that send no Origin (not browsers) are always allowed",
    expected: "any, or origins such as https://example.org separated by commas",
    schema: z.union([
      z.enum(["any", "*"]).transform(() => "any" as const),
      z
        .string()
        .transform(commaList)
        .pipe(z.array(z.string().transform(readOrigin)).min(1)),
      z.array(z.string().transform(readOrigin)).min(1),
    ]),
    default: "any",
    format: (value) => (typeof value === "string" ? value : value.join(",")),
  }),
  trustProxy: option<readonly string[]>({
    group: "Admission",
    type: "string | readonly string[]",
    placeholder: "<cidr,...|none>",
    help: "proxies whose X-Forwarded-For is trusted",
    expected: "none, or networks such as 10.0.0.0/8 or ::1 separated by commas",
    schema: z.union([
      z.literal("none").transform(() => []),
      z
        .string()
        .transform(commaList)
        .pipe(z.array(z.string().transform(readCidr)).min(1)),
      z.array(z.string().transform(readCidr)),
    ]),
    default: [],
    format: (value) => (value.length === 0 ? "none" : value.join(",")),
  }),
};
