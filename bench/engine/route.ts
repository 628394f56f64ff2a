// Describes how to reach a target: addresses, trusted certificates, and the client certificate.

import { lookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";

/** What connections to a target have in common beyond its URL; plain data. */
export interface Route {
  /** PEM certificates to trust instead of the system's. */
  readonly caPem?: string | undefined;
  /** Accept any certificate. */
  readonly insecure?: boolean;
  /** PEM certificate chain and key of the client. */
  readonly certPem?: string | undefined;
  readonly keyPem?: string | undefined;
  /** Server name of the TLS handshake (SNI), which the certificate must be for, instead of the URL's host. */
  readonly servername?: string | undefined;
  /** Addresses by host name, used instead of asking the resolver. */
  readonly addresses?: Readonly<Record<string, string>> | undefined;
}

/** The options of net.connect, tls.connect, http.request, https.request and `ws` that follow from a route. */
export interface RouteOptions {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly lookup?: LookupFunction;
}

export function routeOptions(route: Route): RouteOptions {
  const { caPem, insecure = false, certPem, keyPem, servername, addresses = {} } = route;
  return {
    rejectUnauthorized: !insecure,
    ...(caPem === undefined ? {} : { ca: caPem }),
    ...(certPem === undefined ? {} : { cert: certPem }),
    ...(keyPem === undefined ? {} : { key: keyPem }),
    ...(servername === undefined ? {} : { servername }),
    ...(Object.keys(addresses).length === 0 ? {} : { lookup: lookupIn(addresses) }),
  };
}

/** Extracts the route from a larger object. */
export function routeOf({ caPem, insecure, certPem, keyPem, servername, addresses }: Route): Route {
  return { caPem, insecure: insecure ?? false, certPem, keyPem, servername, addresses };
}

/** The host of a URL as the resolver takes it: without the brackets of an IPv6 address. */
export function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}

function lookupIn(addresses: Readonly<Record<string, string>>): LookupFunction {
  return (hostname, options, callback) => {
    const address = addresses[hostname.toLowerCase()];
    if (address === undefined) {
      lookup(hostname, options, callback);
    } else if (options.all === true) {
      callback(null, [{ address, family: isIP(address) }]);
    } else {
      callback(null, address, isIP(address));
    }
  };
}
