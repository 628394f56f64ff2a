// Why a handshake is refused, with the status of each reason. docs/reference/refusals.md lists the table.
import type { RejectionReason } from "../metrics/counters.ts";

/** The response to a request that is not upgraded, and the reason. */
export interface Refusal {
  readonly reason: RejectionReason;
  /** 0 ends the connection without a response. */
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Row {
  /** Undefined if the request asks for a status. */
  readonly status?: number;
  /** Value of the header `Retry-After`, in seconds. */
  readonly retryAfter?: number;
  readonly when: string;
}

/** Every reason, in the order of the checks. */
export const refusals = {
  not_websocket: { status: 426, when: "`Upgrade` or `Connection` does not request a WebSocket" },
  bad_version: { status: 426, when: "`Sec-WebSocket-Version` is not 13" },
  bad_key: { status: 400, when: "`Sec-WebSocket-Key` is not 16 bytes in base64" },
  bad_subprotocol: { status: 400, when: "`Sec-WebSocket-Protocol` is not a list of tokens" },
  bad_parameter: {
    status: 400,
    when: "a parameter of an endpoint on demand is invalid; the response lists every problem",
  },
  unauthorized: { status: 401, when: "`/basic-auth` or `/bearer` without credentials" },
  asked: { when: "`/status/<code>` and `/abort_handshake`" },
  endpoints_capacity: {
    status: 503,
    retryAfter: 5,
    when: "`--endpoints-connections` are open on endpoints on demand, or a room is full",
  },
  draining: { status: 503, retryAfter: 5, when: "the server is shutting down" },
  origin: {
    status: 403,
    when: "`Origin` is not in `--allow-origin`, or not the one that an endpoint accepts",
  },
  capacity: { status: 503, retryAfter: 5, when: "`--max-connections` are open" },
  per_ip: { status: 429, retryAfter: 1, when: "`--max-connections-per-ip` are open from this address" },
  rate_per_ip: {
    status: 429,
    retryAfter: 1,
    when: "more than `--handshake-rate-per-ip` in a second from this address",
  },
  rate: { status: 429, retryAfter: 1, when: "more than `--handshake-rate` in a second" },
} as const satisfies Record<RejectionReason, Row>;

/** A refusal with the status of its reason. */
export function refuse(
  reason: Exclude<RejectionReason, "asked">,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Refusal {
  const { status, retryAfter }: Row & { readonly status: number } = refusals[reason];
  const retry = retryAfter === undefined ? {} : { "Retry-After": `${retryAfter}` };
  return { reason, status, headers: { ...headers, ...retry }, body };
}
