// Checks the opening handshake: the 101, the certificate, sub-protocols, extensions, large headers, addresses.

import { TLSSocket } from "node:tls";
import { formatBytes, formatElapsed } from "../../src/lib/format.ts";
import type { Ending } from "../engine/connection.ts";
import type { Head } from "../engine/handshake.ts";
import { makePayload } from "../engine/payload.ts";
import { createWsEngine } from "../engine/ws.ts";
import type { Finding } from "../result/check.ts";
import type { Check } from "./check.ts";
import { fails, notTested, passes, type Way } from "./way.ts";

/** Headers whose value differs in each response. */
const changing = new Set(["date", "sec-websocket-accept"]);
/** Headers whose values identify the responder. */
const telling = ["server", "via", "uws-echo-instance"];

const upgrade: Check = {
  id: "upgrade",
  group: "handshake",
  title: "101 and headers",
  run: async (way) => {
    const opening = await way.open();
    if (opening.conversation === undefined) {
      return fails(opening.ending.detail, adviceForRefusal(opening.head));
    }
    opening.conversation.leave();
    const { headers } = opening.head;
    const names = [...headers.keys()].filter((name) => !changing.has(name)).sort();
    const values = telling.flatMap((name) => (headers.has(name) ? [`${name}: ${headers.get(name)}`] : []));
    return passes(
      `101 after ${formatElapsed(Math.round(opening.tookMs))}${values.map((value) => `; ${value}`).join("")}`,
      { headers: names.join(", "), server: headers.get("server") ?? null, via: headers.get("via") ?? null },
    );
  },
};

/** Advice on the usual cause of a refusal. */
function adviceForRefusal(head: Head | undefined): string | null {
  const location = head?.headers.get("location");
  if (location !== undefined) {
    return `it redirects, which WebSocket clients do not follow: use ${location}`;
  }
  switch (head?.status) {
    case 101:
      return null;
    case 200:
    case 400:
    case 404:
    case 426:
      return "if the path is right, a proxy in between drops Upgrade and Connection, or speaks HTTP/1.0 to the server";
    case 401:
    case 403:
      return "it wants credentials or another origin: give --header or --origin";
    case 502:
    case 503:
    case 504:
      return "a proxy in between does not reach the server";
    default:
      return null;
  }
}

const dayMs = 86_400_000;
/** Certificates should have been renewed by then. */
const renewalDays = 14;

export const tlsCheck: Check = {
  id: "tls",
  group: "handshake",
  title: "TLS certificate",
  run: (way) =>
    way.with(({ socket }) => {
      if (!(socket instanceof TLSSocket)) {
        return Promise.resolve(notTested("the target is ws://, without TLS"));
      }
      const { valid_to: validTo, subject } = socket.getPeerCertificate();
      const daysLeft = Math.floor((Date.parse(validTo) - Date.now()) / dayMs);
      const trust = socket.authorized ? "trusted" : `not trusted (${String(socket.authorizationError)})`;
      return Promise.resolve(
        passes(
          `${socket.getProtocol()}, certificate of ${subject?.CN ?? "nobody"} until ${new Date(validTo).toISOString().slice(0, 10)}, ${trust}`,
          { protocol: socket.getProtocol() },
          daysLeft < renewalDays
            ? `renew the certificate: it ends in ${daysLeft} ${daysLeft === 1 ? "day" : "days"}`
            : null,
        ),
      );
    }),
};

/** Sub-protocols offered by default. */
const usualSubprotocols = ["chat", "superchat"];

const subprotocol: Check = {
  id: "subprotocol",
  group: "handshake",
  title: "sub-protocol",
  run: async (way) => {
    const isGiven = way.target.subprotocols.length > 0;
    const offered = isGiven ? way.target.subprotocols : usualSubprotocols;
    const opening = await way.open({ subprotocols: offered });
    opening.conversation?.leave();
    const chosen = opening.head?.headers.get("sec-websocket-protocol");
    const choice = `of ${offered.join(", ")}`;
    if (opening.conversation !== undefined) {
      return passes(`chose ${chosen} ${choice}`, { chosen: chosen ?? null });
    }
    if (opening.head?.status === 101 && chosen === undefined && !isGiven) {
      return notTested(`the target chose none ${choice}: name what it speaks with --subprotocol`, {
        chosen: null,
      });
    }
    if (opening.head !== undefined && opening.head.status !== 101 && !isGiven) {
      return notTested(`offered ${offered.join(", ")}: ${opening.ending.detail}`, { chosen: null });
    }
    return fails(opening.ending.detail);
  },
};

/** Compresses to a small part, and is longer than one frame header form. */
const compressible = makePayload(64 * 1024, "text", "zeros");

const extension: Check = {
  id: "extension",
  group: "handshake",
  title: "permessage-deflate",
  run: async (way) => {
    const offer = "permessage-deflate; client_max_window_bits";
    const opening = await way.open({ headers: [["Sec-WebSocket-Extensions", offer]] });
    opening.conversation?.leave();
    const accepted = opening.head?.headers.get("sec-websocket-extensions");
    if (opening.conversation !== undefined) {
      return passes("declined; messages go uncompressed", { accepted: null });
    }
    if (accepted === undefined) {
      return fails(`offered: ${opening.ending.detail}`);
    }
    if (!accepted.startsWith("permessage-deflate")) {
      return fails(`the target chose ${accepted}, which was not offered`);
    }
    return echoCompressed(way, accepted);
  },
};

/** Sends a compressed message with the `ws` package, whose compression is not ours. */
function echoCompressed({ target }: Way, accepted: string): Promise<Finding> {
  const engine = createWsEngine({
    ...target,
    deflate: true,
    payloads: [compressible],
    type: "text",
    verify: "full",
  });
  return new Promise((resolve) => {
    const timer = setTimeout(
      () =>
        resolve(
          passes(`accepted: ${accepted}; the target does not echo, so nothing was compressed`, { accepted }),
        ),
      target.timeoutMs,
    );
    const settle = (finding: Finding): void => {
      clearTimeout(timer);
      resolve(finding);
    };
    const say = (_index: number, { detail }: Ending): void =>
      settle(fails(`accepted: ${accepted}; ${detail}`));
    engine(0, undefined, {
      onStage: () => undefined,
      onOpen: (connection) => connection.send(0, 1),
      onReplies: (connection) => {
        const { received } = connection.wireBytes();
        connection.close();
        settle(
          passes(
            `accepted: ${accepted}; ${formatBytes(compressible.length)} came back as ${formatBytes(received)}, the 101 included`,
            { accepted },
          ),
        );
      },
      onBadReply: (connection, kind, detail) => {
        connection.destroy();
        say(0, { kind, detail });
      },
      onUnasked: () => undefined,
      onMissing: () => undefined,
      onMessage: () => undefined,
      onPong: () => undefined,
      onEnding: () => undefined,
      onClosed: say,
    });
  });
}

/** Tested sizes of one header, in bytes. */
const headerSizes = [1, 2, 4, 8, 16, 32, 64].map((kib) => kib * 1024);
const headerCounts = [25, 50, 100, 200];
/** Timeout of a refusal: some servers do not answer oversized headers. */
const refusalMs = 2000;
/** Size that must pass: a token or a few cookies. */
const usualHeaderBytes = 2048;

const largeHeaders: Check = {
  id: "headers",
  group: "handshake",
  title: "large headers",
  run: async (way) => {
    const sizes = await largest(headerSizes, (bytes) => tryHeaders(way, [["X-Check", "x".repeat(bytes)]]));
    const counts = await largest(headerCounts, (count) =>
      tryHeaders(
        way,
        Array.from({ length: count }, (_, index) => [`X-Check-${index}`, "x"] as const),
      ),
    );
    const tried = [
      { ...sizes, name: (bytes: number) => `one of ${formatBytes(bytes)}` },
      { ...counts, name: (count: number) => `${count} small ones` },
    ];
    const accepted = tried.filter(({ passed }) => passed > 0).map(({ passed, name }) => name(passed));
    const refused = tried.flatMap(({ refusal, name }) =>
      refusal === undefined ? [] : [`${name(refusal.value)} (${refusal.why})`],
    );
    const seen = [
      `accepted: ${accepted.join(", ") || "nothing"}`,
      ...refused.map((each) => `refused: ${each}`),
    ].join("; ");
    const facts = { bytes: sizes.passed, count: counts.passed };
    return sizes.passed >= usualHeaderBytes
      ? passes(seen, facts)
      : fails(seen, "tokens and cookies take 2 KiB easily: raise the limit", facts);
  },
};

interface Largest {
  readonly passed: number;
  /** The first refused value, and how; undefined if all passed. */
  readonly refusal: { readonly value: number; readonly why: string } | undefined;
}

/** The largest of `values` up to which all pass. */
async function largest(
  values: readonly number[],
  attempt: (value: number) => Promise<string | undefined>,
): Promise<Largest> {
  let passed = 0;
  for (const value of values) {
    const why = await attempt(value);
    if (why !== undefined) {
      return { passed, refusal: { value, why } };
    }
    passed = value;
  }
  return { passed, refusal: undefined };
}

async function tryHeaders(
  way: Way,
  headers: readonly (readonly [string, string])[],
): Promise<string | undefined> {
  const opening = await way.open({ headers, timeoutMs: Math.min(refusalMs, way.target.timeoutMs) });
  opening.conversation?.leave();
  if (opening.conversation !== undefined) {
    return undefined;
  }
  return opening.head === undefined ? opening.ending.detail : String(opening.head.status);
}

export const handshakeChecks: readonly Check[] = [upgrade, tlsCheck, subprotocol, extension, largeHeaders];
