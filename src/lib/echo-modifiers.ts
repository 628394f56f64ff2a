// The parameters of `/echo`. Plain data.

import { abrupt, code, giB, kiB, miB, reason, second } from "./common-parameters.ts";
import type { Parameters } from "./parameter.ts";
import { hasAnyOf } from "./parameters.ts";
import { tokenPattern } from "./token.ts";

const closing = { needs: ["close_after", "close_in"] } as const;

/** Modifiers of `/echo`. */
export const echoModifiers = {
  delay: {
    kind: "duration",
    min: 0,
    max: 60 * second,
    cap: "delay",
    help: "delays each reply by this long",
    example: "100ms",
  },
  jitter: {
    kind: "duration",
    min: 0,
    max: 60 * second,
    cap: "delay",
    needs: ["delay"],
    atMost: "delay",
    help: "varies the delay at random by up to this, in both directions; replies stay in order",
    example: "50ms",
  },
  rate: {
    kind: "size",
    min: kiB,
    max: 64 * miB,
    perSecond: true,
    help: "sends replies at this many bytes per second",
    example: "64KiB",
  },
  fragment: {
    kind: "size",
    min: 1,
    max: giB,
    cap: "payload",
    help: "sends replies in fragments of this size, or larger ones if a message would need more than 1,024",
    example: "1KiB",
  },
  fragment_delay: {
    kind: "duration",
    min: 0,
    max: second,
    needs: ["fragment"],
    help: "waits this long between two fragments",
    example: "10ms",
  },
  close_after: {
    kind: "count",
    min: 1,
    max: 1_000_000,
    help: "closes after this many replies",
    example: "3",
  },
  close_in: {
    kind: "duration",
    min: 0,
    max: 3600 * second,
    help: "closes after this long, once delayed replies are sent",
    example: "2s",
  },
  code: { ...code, ...closing },
  reason: { ...reason, ...closing },
  abrupt: { ...abrupt, ...closing },
  handshake_delay: {
    kind: "duration",
    min: 0,
    max: 60 * second,
    cap: "delay",
    help: "answers the handshake after this long",
    example: "1s",
  },
  compression: {
    kind: "choice",
    choices: ["off"],
    help: "declines permessage-deflate",
    example: "off",
  },
  protocol: {
    kind: "text",
    maxBytes: 256,
    pattern: tokenPattern.source,
    expected: "a sub-protocol (an RFC 6455 token), or none",
    help: "selects this sub-protocol, offered or not; none selects none",
    example: "chat",
  },
  greet: {
    kind: "text",
    maxBytes: 256,
    help: "sends a text first: instance (the name of the server), inspect (the handshake as JSON), or any other text",
    example: "instance",
  },
  ping: {
    kind: "duration",
    min: 100,
    max: 60 * second,
    help: "sends a ping this often",
    example: "1s",
  },
} as const satisfies Parameters;

/** Whether a handshake of `/echo` has one of its parameters. */
export function asksForMore(query: string | undefined): boolean {
  return query !== undefined && query !== "" && hasAnyOf(echoModifiers, query);
}
