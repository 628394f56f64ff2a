// Explains WebSocket close codes. Pure. Source: RFC 6455, section 7.4, and the IANA registry.

import { formatNumber } from "../../lib/format.ts";

/** The known facts about a connection that has ended. */
export interface CloseFacts {
  readonly code: number;
  /** True if this page requested the close. */
  readonly wanted?: boolean;
  /** True if the `open` event had fired before. */
  readonly opened: boolean;
  readonly url: string;
}

export interface CloseExplanation {
  /** The registered name of the code, for example `Abnormal Closure`. */
  readonly name: string;
  /** The meaning, and the common causes of a failure. */
  readonly sentence: string;
}

const registeredCodes = new Map<number, CloseExplanation>([
  [1000, { name: "Normal Closure", sentence: "Both sides are done; the closing handshake was completed." }],
  [
    1001,
    {
      name: "Going Away",
      sentence: "The server is shutting down or draining. Connect again to reach it, or another one.",
    },
  ],
  [1002, { name: "Protocol Error", sentence: "One side received a frame that breaks RFC 6455." }],
  [
    1003,
    {
      name: "Unsupported Data",
      sentence: "The endpoint does not accept this type of message (text or binary).",
    },
  ],
  [
    1005,
    {
      name: "No Status Received",
      sentence: "The close frame had no code. That is a clean close without a reason.",
    },
  ],
  [1007, { name: "Invalid Payload Data", sentence: "A text message was not valid UTF-8." }],
  [
    1008,
    {
      name: "Policy Violation",
      sentence: "The server refused for a policy, for example origin, authentication or rate.",
    },
  ],
  [
    1009,
    { name: "Message Too Big", sentence: "A message was larger than the server accepts (--max-payload)." },
  ],
  [
    1010,
    {
      name: "Mandatory Extension",
      sentence: "The client requires an extension that the server did not accept.",
    },
  ],
  [1011, { name: "Internal Error", sentence: "The server had an internal error. See its log." }],
  [1012, { name: "Service Restart", sentence: "The server is restarting. Connect again in a few seconds." }],
  [1013, { name: "Try Again Later", sentence: "The server is overloaded. Wait before you connect again." }],
  [1014, { name: "Bad Gateway", sentence: "A gateway got an invalid response from the server behind it." }],
  [
    1015,
    { name: "TLS Handshake", sentence: "TLS failed, most often because the certificate is not trusted." },
  ],
]);

/** Explains the code of a `close` event, for every number. */
export function explainClose(facts: CloseFacts): CloseExplanation {
  if (facts.code === 1006) {
    return { name: "Abnormal Closure", sentence: facts.opened ? lostConnection : neverOpened(facts.url) };
  }
  const registered = registeredCodes.get(facts.code);
  if (registered !== undefined) {
    return registered;
  }
  if (facts.code >= 3000 && facts.code <= 3999) {
    return {
      name: "Registered Code",
      sentence: "A code that a library or framework registered with IANA.",
    };
  }
  if (facts.code >= 4000 && facts.code <= 4999) {
    return {
      name: "Private Code",
      sentence: "A code of the application; its documentation says what it means.",
    };
  }
  return {
    name: "Unassigned Code",
    sentence: "RFC 6455 reserves this number; it should not appear on the wire.",
  };
}

/**
 * Describes who closed the connection and why, as far as known.
 * @param largestSentBytes size of the largest message sent on the connection
 * @param maxPayload the server's --max-payload in bytes, once known
 */
export function describeClose(
  facts: CloseFacts,
  largestSentBytes: number,
  maxPayload: number | undefined,
): string {
  const { sentence } = explainClose(facts);
  if (facts.wanted) {
    return `Closed by you. ${sentence}`;
  }
  if (facts.code !== 1006) {
    return `Closed by the server. ${sentence}`;
  }
  if (facts.opened && maxPayload !== undefined && largestSentBytes > maxPayload) {
    return (
      `Dropped by the server: a message of ${formatNumber(largestSentBytes)} bytes was over its limit ` +
      `--max-payload of ${formatNumber(maxPayload)} bytes.`
    );
  }
  return sentence;
}

const lostConnection =
  "The TCP connection ended without a close frame. Common causes: the server was killed or crashed; a message was over " +
  "--max-payload; the server's backpressure policy closed a slow reader; a proxy's idle timeout; the network failed.";

function neverOpened(url: string): string {
  const tls = url.startsWith("wss:")
    ? "the certificate is not trusted (open the https:// address to check), "
    : "the server accepts only TLS (try wss://), ";
  return (
    "The connection never opened, and browsers do not report the reason to scripts. Common causes: nothing listens at this host and " +
    `port; the server answered the handshake with an error (403 origin, 404 path, 429 or 503 limits); ${tls}` +
    "or a proxy in between removes the Upgrade header."
  );
}
