// Finds the address of a client: normalizes addresses, and trusts X-Forwarded-For only from known proxies. Pure.
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * One spelling for an address: IPv4-mapped IPv6 (`::ffff:10.0.0.1`) becomes IPv4, IPv6 is shortened.
 * @returns undefined when the text is no address
 */
export function normalizeAddress(text: string): string | undefined {
  // A proxy may add a port, and brackets around IPv6 with it.
  const bare =
    /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
  // Strict: ipaddr.js alone takes 010.0.0.1 for octal and 10 for 0.0.0.10.
  return isIP(bare) !== 0 ? ipaddr.process(bare).toString() : undefined;
}

/**
 * What limits by address count as one client: an IPv4 address, or the /64 of an IPv6 address, which is what one customer
 * of a provider has at least (RFC 6177).
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

/** Tells whether an address, in the normal spelling, is one of a list of networks. */
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
    // uWS gives no address for a peer that is gone already.
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
 * The client behind trusted proxies: the last address of X-Forwarded-For that no trusted proxy has.
 * @param remote address of the TCP peer, in the normal spelling
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
