// Selects the permessage-deflate offer to accept (RFC 7692). Pure: a header in, a header out.

/**
 * Picks the first valid permessage-deflate offer that uWS can fulfil, and drops all others. uWS would accept any: with
 * impossible parameters, or with parameters that its response then omits, which fails the handshake for the client
 * (RFC 7692, sections 7.1.1.1 and 7.1.2.1).
 * @param offers `Sec-WebSocket-Extensions` of the client
 * @returns an extension header for uWS, or the empty string to decline (RFC 7692, section 5.1)
 */
export function chooseDeflateOffer(offers: string, compressor: "shared" | "dedicated"): string {
  for (const offer of splitQuoted(offers, ",")) {
    const parameters = readDeflateOffer(offer);
    const accepted = parameters && acceptDeflateOffer(parameters, compressor);
    if (accepted !== undefined) {
      return accepted;
    }
  }
  return "";
}

type DeflateParameters = ReadonlyMap<string, string | undefined>;

// Returns the header for uWS. A response may always omit client_max_window_bits, because our window is the largest.
function acceptDeflateOffer(
  offer: DeflateParameters,
  compressor: "shared" | "dedicated",
): string | undefined {
  const accepted = ["permessage-deflate"];
  if (offer.has("client_no_context_takeover")) {
    accepted.push("client_no_context_takeover");
  }
  const windowBits = Number(offer.get("server_max_window_bits"));
  switch (compressor) {
    case "shared":
      // It never keeps a context, and its response says so. Its window is the largest, and its response omits that.
      if (offer.has("server_max_window_bits")) {
        return undefined;
      }
      break;
    case "dedicated":
      // It always keeps its context.
      if (offer.has("server_no_context_takeover")) {
        return undefined;
      }
      if (offer.has("server_max_window_bits")) {
        // zlib has no window of 8 bits for raw deflate, and uWS omits 15 from its response; the next smaller one is valid.
        if (windowBits < 9) {
          return undefined;
        }
        accepted.push(`server_max_window_bits=${Math.min(windowBits, 14)}`);
      }
      break;
  }
  return accepted.join("; ");
}

function readDeflateOffer(offer: string): DeflateParameters | undefined {
  const [name, ...parameters] = splitQuoted(offer, ";");
  if (name?.toLowerCase() !== "permessage-deflate") {
    return undefined;
  }
  const read = new Map<string, string | undefined>();
  for (const parameter of parameters) {
    const match = /^([^=\s]+)(?:\s*=\s*(?:"([^"]*)"|([^"\s]*)))?$/.exec(parameter);
    const key = match?.[1]?.toLowerCase();
    const value = match?.[2] ?? match?.[3];
    if (key === undefined || read.has(key) || !isDeflateParameter(key, value)) {
      return undefined;
    }
    read.set(key, value);
  }
  return read;
}

// RFC 7692, section 7.1.
function isDeflateParameter(key: string, value: string | undefined): boolean {
  switch (key) {
    case "server_no_context_takeover":
    case "client_no_context_takeover":
      return value === undefined;
    case "client_max_window_bits":
      return value === undefined || /^([89]|1[0-5])$/.test(value);
    case "server_max_window_bits":
      return value !== undefined && /^([89]|1[0-5])$/.test(value);
    default:
      return false;
  }
}

// Splits at a separator outside quotes, without empty elements (RFC 9110, section 5.6.1).
function splitQuoted(text: string, separator: "," | ";"): string[] {
  const pieces = separator === "," ? text.match(/(?:"[^"]*"|[^,])+/g) : text.match(/(?:"[^"]*"|[^;])+/g);
  return (pieces ?? []).map((piece) => piece.trim()).filter((piece) => piece !== "");
}
