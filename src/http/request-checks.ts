// What may be wrong with a request before any endpoint sees it: its length, and the name that it was sent to.
import type { HttpRequest, HttpResponse } from "uWebSockets.js";
import ipaddr from "ipaddr.js";
import type { Config } from "../config/options.ts";
import { peerAddress } from "./headers.ts";
import type { Reply } from "./reply.ts";

/** Refuses a request on a path, or lets it through with undefined. */
export type RequestCheck = (path: string, res: HttpResponse, req: HttpRequest) => Reply | undefined;

/** Paths whose answers a foreign page must not read through a name that it has pointed at this machine. */
const hostChecked = new Set(["/inspect", "/metrics"]);
/** Names that nobody can register: RFC 6761, 6762, 8375, ICANN's .internal, and what Kubernetes uses. */
const unregistered = ["localhost", "local", "internal", "test", "home.arpa", "svc"];

/** The checks of every listener. */
export const checkRequest: RequestCheck = (_path, _res, req) => {
  // RFC 9112, section 6.3: uWS believes the first, and a proxy in front may believe another.
  if (req.getHeader("content-length") === "") {
    return undefined;
  }
  const lengths = new Set<string>();
  req.forEach((name, value) => {
    if (name === "content-length") {
      lengths.add(value);
    }
  });
  if (lengths.size < 2) {
    return undefined;
  }
  const body = `Content-Length has several values: ${[...lengths].join(" and ")}.\n`;
  return { status: 400, body, isLast: true };
};

/** The checks of the main listener, which browsers reach. */
export function createMainCheck(config: Pick<Config, "allowHost" | "trustProxy">): RequestCheck {
  const { allowHost, trustProxy } = config;
  if (allowHost === "any" || trustProxy.length > 0) {
    return checkRequest;
  }
  return (path, res, req) => {
    const refused = checkRequest(path, res, req);
    if (refused !== undefined || !hostChecked.has(path)) {
      return refused;
    }
    const host = hostName(req.getHeader("host"));
    if (isSafeHost(host, allowHost) || isPublic(peerAddress(res))) {
      return undefined;
    }
    const body = `${path} does not answer under the name ${host} here: a page could have pointed it at this machine. Give --allow-host ${host}, or --trust-proxy for a proxy in front.\n`;
    return { status: 421, body };
  };
}

/** The name in a Host header, without its port and in lower case. */
function hostName(header: string): string {
  return header
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "")
    .toLowerCase();
}

/**
 * Whether a name surely means this server, and not an attacker's domain that resolves to it: an address, a name without
 * a dot (as in Compose and on a local network), one that nobody can register, or one that is allowed.
 * @param allowed names; `.example.org` is every name below it
 */
export function isSafeHost(host: string, allowed: readonly string[]): boolean {
  return (
    !host.includes(".") ||
    ipaddr.isValid(host) ||
    unregistered.some((suffix) => host.endsWith(`.${suffix}`)) ||
    allowed.some((name) => (name.startsWith(".") ? host.endsWith(name) : host === name))
  );
}

// A page can only use the name trick for a server that its visitor reaches and it does not: one in a private network.
function isPublic(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "unicast";
}
