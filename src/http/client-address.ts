// Finds the address of a client: normalizes addresses, and trusts X-Forwarded-For only from known proxies. Pure.
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * Returns the canonical form of an address: IPv4-mapped IPv6 (`::ffff:10.0.0.1`) becomes IPv4, IPv6 is shortened.
 * @returns undefined if the text is not an address
 */
export function normalizeAddress(text: string): string | undefined {
  // A proxy may add a port, and brackets around IPv6 with it.
  const bare =
    /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
  // isIP() is strict: ipaddr.js alone reads 010.0.0.1 as octal, and 10 as 0.0.0.10.
  return isIP(bare) !== 0 ? ipaddr.process(bare).toString() : undefined;
}

/**
 * The unit of limits per address: an IPv4 address, or the /64 of an IPv6 address, the least that a provider assigns to
 * one customer (RFC 6177).
 */
export function clientGroup(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) {
    return address;
  }
  const { parts } = ipaddr.IPv6.parse(address);
  return parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(":");
}

/** Tells whether an address in canonical form belongs to a list of networks. */
export type TrustsAddress = (address: string) => boolean;

/** Reads CIDR networks that the configuration has checked. */
export function trustNetworks(networks: readonly string[]): TrustsAddress {
  const parsed = networks.map((network) => {
    const [address, bits] = ipaddr.parseCIDR(network);
    const isMapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress();
    return isMapped
      ? ([address.toIPv4Address(), Math.max(0, bits - 96)] as const)
      : ([address, bits] as const);
  });
  return (text) => {
    // uWS returns no address for a peer that has already disconnected.
    if (!ipaddr.isValid(text)) {
      return false;
    }
    const address = ipaddr.process(text);
    return parsed.some(
      ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
    );
  };
}

/**
 * The client behind trusted proxies: the last address of X-Forwarded-For that is not a trusted proxy.
 * @param remote address of the TCP peer, in canonical form
 * @param forwardedFor value of X-Forwarded-For, nearest proxy last
 */
export function clientAddress(
  remote: string,
  forwardedFor: string | undefined,
  trusts: TrustsAddress,
): string {
  let client = remote;
  for (const hop of (forwardedFor ?? "").split(",").reverse()) {
    if (!trusts(client)) {
      break;
    }
    const address = normalizeAddress(hop.trim());
    if (address === undefined) {
      break;
    }
    client = address;
  }
  return client;
}
