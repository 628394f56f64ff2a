// Reaches the target: checks its address, or starts it from a command.

import { lookup } from "node:dns/promises";
import { isIPv4 } from "node:net";
import { UwsEchoError } from "../../src/lib/errors.ts";
import { hostOf, type Route } from "../engine/route.ts";

/** A target that cannot be used; the message says why. */
export class TargetError extends UwsEchoError<"ERR_TARGET"> {
  override readonly name = "TargetError";
  constructor(problems: string | readonly string[], options?: ErrorOptions) {
    super("ERR_TARGET", problems, options);
  }
}

/** Where a target is, seen from here. */
export interface Locality {
  /** On this machine, reached over loopback. */
  readonly local: boolean;
  /** Reached over 127.0.0.0/8. */
  readonly overIpv4Loopback: boolean;
}

/** Finds out whether the URL's host is this machine. A name that cannot be resolved is not local. */
export async function locate(url: string, { addresses: own = {} }: Route = {}): Promise<Locality> {
  const host = hostOf(url);
  const addresses = await lookup(own[host] ?? host, { all: true }).catch(() => []);
  const names = addresses.map(({ address }) => address);
  const isV4Loopback = (address: string): boolean => isIPv4(address) && address.startsWith("127.");
  return {
    local: names.length > 0 && names.every((address) => isV4Loopback(address) || address === "::1"),
    overIpv4Loopback: names.length > 0 && names.every(isV4Loopback),
  };
}

/**
 * Asks once for the address of the URL's host, so that a name that nobody knows is one error at once, not one for each
 * connection after its time-out.
 * @throws TargetError when the name has no address
 */
export async function requireHost(url: string, { addresses = {} }: Route = {}): Promise<void> {
  const host = hostOf(url);
  try {
    await lookup(addresses[host] ?? host);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOTFOUND" ? "is not known" : "has no address now";
    throw new TargetError(`the host "${host}" ${why} (${code ?? "unknown error"})`, { cause: error });
  }
}

/** The Prometheus page that a target most likely has. */
export function defaultMetricsUrl(url: string): string {
  const metricsUrl = new URL(url);
  metricsUrl.protocol = /^(wss|https):$/.test(metricsUrl.protocol) ? "https:" : "http:";
  metricsUrl.pathname = "/metrics";
  metricsUrl.search = "";
  return metricsUrl.href;
}
