// Decides, before the upgrade, whether a client may connect: draining, origin, capacity, address, rate.

import type { Config } from "../config/options.ts";
import { clientGroup } from "../http/client-address.ts";
import { type Refusal, refuse } from "./refusals.ts";

/** The limits of admission. Limits of the whole server are already divided among its workers. */
export type AdmissionLimits = Pick<
  Config,
  "maxConnections" | "maxConnectionsPerIp" | "handshakeRate" | "handshakeRatePerIp" | "allowOrigin"
>;

/** A client's handshake. */
export interface Candidate {
  /** Client address, behind trusted proxies; read only if connections or handshakes are limited per address. */
  readonly address: string;
  readonly origin: string | undefined;
}

export interface Admission {
  /** Refuses, or counts the connection until `release` is called at its end. */
  admit(candidate: Candidate): Refusal | undefined;
  release(address: string): void;
  /** Refuses every client from now on. */
  stop(): void;
  /** The refusal after `stop`, for a handshake that was admitted before. */
  refusalOfDraining(): Refusal | undefined;
}

/**
 * @param now milliseconds of a clock that never goes back
 */
export function createAdmission(limits: AdmissionLimits, now: () => number): Admission {
  const { maxConnections, maxConnectionsPerIp, handshakeRate, handshakeRatePerIp, allowOrigin } = limits;
  const perGroup = new Map<string, number>();
  const takeToken = createTokenBucket(handshakeRate, now);
  const takeTokenOf = createTokenBuckets(handshakeRatePerIp, now);
  let open = 0;
  let stopped = false;

  function refusalOfDraining(): Refusal | undefined {
    return stopped ? refuse("draining", "The server is shutting down.\n") : undefined;
  }

  function findRefusal({ address, origin }: Candidate): Refusal | undefined {
    const draining = refusalOfDraining();
    if (draining !== undefined) {
      return draining;
    }
    if (allowOrigin !== "any" && origin !== undefined && !allowOrigin.includes(normalOrigin(origin))) {
      return refuse("origin", "Pages of this origin are not allowed to connect (--allow-origin).\n");
    }
    if (open >= maxConnections) {
      return refuse(
        "capacity",
        `The server has ${maxConnections} connections, its limit (--max-connections).\n`,
      );
    }
    if (maxConnectionsPerIp > 0 && (perGroup.get(clientGroup(address)) ?? 0) >= maxConnectionsPerIp) {
      return refuse(
        "per_ip",
        `This address has ${maxConnectionsPerIp} connections, its limit (--max-connections-per-ip).\n`,
      );
    }
    // Last, so that a handshake refused for another reason costs no token. Per address first, so that one address
    // cannot use up the tokens of all.
    if (handshakeRatePerIp > 0 && !takeTokenOf(clientGroup(address))) {
      return refuse(
        "rate_per_ip",
        `This address sends more than ${handshakeRatePerIp} handshakes a second (--handshake-rate-per-ip).\n`,
      );
    }
    if (!takeToken()) {
      return refuse("rate", `More than ${handshakeRate} handshakes a second (--handshake-rate).\n`);
    }
    return undefined;
  }

  return {
    refusalOfDraining,
    admit(candidate) {
      const refusal = findRefusal(candidate);
      if (refusal !== undefined) {
        return refusal;
      }
      open++;
      if (maxConnectionsPerIp > 0) {
        const group = clientGroup(candidate.address);
        perGroup.set(group, (perGroup.get(group) ?? 0) + 1);
      }
      return undefined;
    },
    release(address) {
      open--;
      if (maxConnectionsPerIp === 0) {
        return;
      }
      const group = clientGroup(address);
      const left = (perGroup.get(group) ?? 1) - 1;
      if (left > 0) {
        perGroup.set(group, left);
      } else {
        perGroup.delete(group);
      }
    },
    stop() {
      stopped = true;
    },
  };
}

// A token bucket that refills continuously and holds one second's worth.
function createTokenBucket(perSecond: number, now: () => number): () => boolean {
  if (perSecond === 0) {
    return () => true;
  }
  let tokens = perSecond;
  let filledAt = now();
  return () => {
    const at = now();
    tokens = Math.min(perSecond, tokens + ((at - filledAt) / 1000) * perSecond);
    filledAt = at;
    if (tokens < 1) {
      return false;
    }
    tokens--;
    return true;
  };
}

/** Maximum of buckets. Full buckets can be dropped, because a new one is full, too. */
const maxBuckets = 65_536;

// A bucket per key, in order of last use: a bucket is full after a second without use.
function createTokenBuckets(perSecond: number, now: () => number): (key: string) => boolean {
  const buckets = new Map<string, { readonly take: () => boolean; usedAt: number }>();
  return (key) => {
    const at = now();
    const bucket = buckets.get(key) ?? { take: createTokenBucket(perSecond, now), usedAt: at };
    buckets.delete(key);
    bucket.usedAt = at;
    buckets.set(key, bucket);
    for (const [oldest, { usedAt }] of buckets) {
      if (at - usedAt < 1000 && buckets.size <= maxBuckets) {
        break;
      }
      buckets.delete(oldest);
    }
    return bucket.take();
  };
}

// Origins of other schemes (file:, chrome-extension:) normalize to "null", and must not match a real null origin.
function normalOrigin(origin: string): string {
  const normal = URL.canParse(origin) ? new URL(origin).origin : origin;
  return normal === "null" ? origin : normal;
}
