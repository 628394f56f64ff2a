// Checks each request before its endpoint: the content length, and the host name.
import type { HttpRequest, HttpResponse } from "uWebSockets.js";
import ipaddr from "ipaddr.js";
import type { Config } from "../config/options.ts";
import { peerAddress } from "./headers.ts";
import type { Reply } from "./reply.ts";

/** Returns a refusal, or undefined to accept the request. */
export type RequestCheck = (path: string, res: HttpResponse, req: HttpRequest) => Reply | undefined;

/** Paths that a foreign page must not read through DNS rebinding. */
const hostChecked = new Set(["/inspect", "/metrics"]);
/** Names that nobody can register: RFC 6761, 6762, 8375, ICANN's .internal, and those of Kubernetes. */
const unregistered = ["localhost", "local", "internal", "test", "home.arpa", "svc"];

/** The checks of every listener. */
export const checkRequest: RequestCheck = (_path, _res, req) => {
  // RFC 9112, section 6.3: uWS uses the first length, and a proxy in front may use another.
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
    const body = `${path} does not answer under the name ${host}, which could be a DNS rebinding attack. Use --allow-host ${host}, or --trust-proxy for a proxy in front.\n`;
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
 * Whether a name cannot be an attacker's domain that resolves to this server: an address, a name without a dot (as in
 * Compose and on a local network), one that nobody can register, or one that is allowed.
 * @param allowed names; `.example.org` is every name below it
 */
function isSafeHost(host: string, allowed: readonly string[]): boolean {
  return (
    !host.includes(".") ||
    ipaddr.isValid(host) ||
    unregistered.some((suffix) => host.endsWith(`.${suffix}`)) ||
    allowed.some((name) => (name.startsWith(".") ? host.endsWith(name) : host === name))
  );
}

// DNS rebinding only gains access to a server in a private network, which the visitor can reach and the page cannot.
function isPublic(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "unicast";
}
