// THE table of endpoints on demand: the source of paths, parameters, the 404 page, the reference, the page's picker and
// metric labels. Plain data.
import { abrupt, code, count, giB, interval, kiB, miB, reason, second } from "./common-parameters.ts";
import { echoModifiers } from "./echo-modifiers.ts";
import type { Parameters } from "./parameter.ts";

/** How a path is reached: over WebSocket, over HTTP, or both. */
type Via = "websocket" | "http";

export interface Behaviour {
  /** The path, with `:name` for a segment that is a parameter. */
  readonly path: string;
  readonly summary: string;
  readonly via: readonly Via[];
  /** Only with `--endpoints all`. */
  readonly isUnsafe?: true;
  /** Parameters in the path, in order. */
  readonly segments: Parameters;
  /** Parameters in the query. */
  readonly parameters: Parameters;
}

const none = {} as const;

/** Every endpoint on demand, by the name that it has in metrics. */
export const behaviours = {
  echo: {
    path: "/echo",
    summary: "WebSocket echo; the query can delay, slow down, fragment or end it",
    via: ["websocket"],
    segments: none,
    parameters: echoModifiers,
  },
  close: {
    path: "/close",
    summary: "closes with the code of the query, or of a text <code> <reason>",
    via: ["websocket"],
    segments: none,
    parameters: {
      code,
      reason,
      after: {
        kind: "duration",
        min: 0,
        max: 3600 * second,
        help: "closes this long after the handshake",
        example: "1s",
      },
      abrupt,
    },
  },
  ticks: {
    path: "/ticks",
    summary: "sends numbered messages at an interval",
    via: ["websocket"],
    segments: none,
    parameters: {
      interval,
      count,
      size: {
        kind: "size",
        min: 64,
        max: miB,
        help: "size of each message, padded with blanks",
        example: "1KiB",
      },
      type: {
        kind: "choice",
        choices: ["text", "binary"],
        default: "text",
        help: "type of the messages",
        example: "binary",
      },
      burst: {
        kind: "count",
        min: 1,
        max: 1000,
        default: 1,
        help: "messages per tick",
        example: "5",
      },
    },
  },
  source: {
    path: "/source",
    summary: "sends binary messages as fast as the client reads them",
    via: ["websocket"],
    segments: none,
    parameters: {
      size: {
        kind: "size",
        min: 1,
        max: miB,
        default: 64 * kiB,
        help: "size of each message",
        example: "4KiB",
      },
      total: {
        kind: "size",
        min: 1,
        max: 1024 * giB,
        default: giB,
        help: "total bytes; then closes with 1000",
        example: "100MiB",
      },
      rate: {
        kind: "size",
        min: kiB,
        max: giB,
        perSecond: true,
        help: "sends at most this many bytes per second",
        example: "10MiB",
      },
    },
  },
  sink: {
    path: "/sink",
    summary: "receives messages and sends none back",
    via: ["websocket"],
    segments: none,
    parameters: {
      ack: {
        kind: "count",
        min: 1,
        max: 1_000_000,
        help: "after every this many messages, sends a text with the totals",
        example: "100",
      },
    },
  },
  inspect: {
    path: "/inspect",
    summary: "sends the handshake as JSON, then echoes",
    via: ["websocket"],
    segments: none,
    parameters: none,
  },
  pings: {
    path: "/pings",
    summary: "sends pings, and a text with the round-trip time of each pong",
    via: ["websocket"],
    segments: none,
    parameters: { interval: { ...interval, min: 100, max: 60 * second }, count },
  },
  status: {
    path: "/status/:code",
    summary:
      "refuses the handshake, or answers a GET, with this status; 0 ends the connection without a response",
    via: ["websocket", "http"],
    segments: { code: { kind: "status", help: "the status", example: "503" } },
    parameters: {
      retry_after: {
        kind: "duration",
        min: second,
        max: 3600 * second,
        help: "adds Retry-After, in whole seconds",
        example: "5s",
      },
    },
  },
  basic_auth: {
    path: "/basic-auth/:user/:password",
    summary: "an echo behind HTTP Basic authentication with these credentials",
    via: ["websocket", "http"],
    segments: {
      user: { kind: "text", maxBytes: 64, help: "the user", example: "test" },
      password: { kind: "text", maxBytes: 64, help: "the password", example: "secret" },
    },
    parameters: none,
  },
  bearer: {
    path: "/bearer",
    summary:
      "an echo that requires a token: Authorization: Bearer, ?token=, or the sub-protocols bearer and the token",
    via: ["websocket", "http"],
    segments: none,
    parameters: {
      token: {
        kind: "text",
        maxBytes: 256,
        help: "the token, for clients that cannot set headers",
        example: "abc",
      },
    },
  },
  sse: {
    path: "/sse",
    summary: "server-sent events over HTTP",
    via: ["http"],
    segments: none,
    parameters: {
      interval,
      count,
      size: { kind: "size", min: 64, max: miB, help: "size of the data of each event", example: "1KiB" },
    },
  },
  delay: {
    path: "/delay/:duration",
    summary: "answers an HTTP request after this long",
    via: ["http"],
    segments: {
      duration: {
        kind: "duration",
        min: 0,
        max: 60 * second,
        cap: "delay",
        help: "how long to wait",
        example: "2s",
      },
    },
    parameters: none,
  },
  echo_noext: {
    path: "/echo_noext",
    summary: "an echo that declines every extension",
    via: ["websocket"],
    segments: none,
    parameters: none,
  },
  abort: {
    path: "/abort",
    summary: "accepts the handshake, then ends the TCP connection without a close frame",
    via: ["websocket"],
    segments: none,
    parameters: none,
  },
  abort_handshake: {
    path: "/abort_handshake",
    summary: "ends the TCP connection without a response to the handshake",
    via: ["websocket"],
    segments: none,
    parameters: none,
  },
  internal_error: {
    path: "/internal_error",
    summary: "accepts the handshake, then closes with 1011",
    via: ["websocket"],
    segments: none,
    parameters: none,
  },
  bench: {
    path: "/bench",
    summary:
      "the text <seconds> <count> <message> requests the message count times, seconds apart; then closes with 1000",
    via: ["websocket"],
    segments: none,
    parameters: none,
  },
  benchmark_helper: {
    path: "/benchmark_helper",
    summary: "receive <n> returns a binary message of n bytes; send <0|1> and a message returns its size",
    via: ["websocket"],
    segments: none,
    parameters: none,
  },
  origin_check: {
    path: "/origin_check",
    summary: "an echo for one Origin; others are refused with 403",
    via: ["websocket"],
    segments: none,
    parameters: {
      origin: {
        kind: "text",
        maxBytes: 256,
        default: "http://example.com",
        help: "the allowed Origin",
        example: "https://example.org",
      },
    },
  },
  rooms: {
    path: "/rooms/:name",
    summary: "sends each message to everyone in the room",
    via: ["websocket"],
    isUnsafe: true,
    segments: {
      name: {
        kind: "text",
        maxBytes: 64,
        pattern: "^[\\w.-]+$",
        expected: "letters, digits, dots, hyphens and underscores, at most 64",
        help: "the room",
        example: "lobby",
      },
    },
    parameters: none,
  },
  violate: {
    path: "/violate/:what",
    summary: "violates the protocol in one way, to test clients",
    via: ["websocket"],
    isUnsafe: true,
    segments: {
      what: {
        kind: "choice",
        choices: [
          "invalid-utf8",
          "stray-continuation",
          "interleaved",
          "unfinished",
          "close-1015",
          "long-ping",
          "wrong-accept",
          "unoffered-protocol",
        ],
        help: "the violation",
        example: "invalid-utf8",
      },
    },
    parameters: none,
  },
} as const satisfies Readonly<Record<string, Behaviour>>;

export type BehaviourName = keyof typeof behaviours;

/** Values of the label `endpoint`. */
export const behaviourNames = Object.keys(behaviours) as BehaviourName[];
