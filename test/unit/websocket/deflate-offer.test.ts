import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { chooseDeflateOffer } from "../../../src/websocket/deflate-offer.ts";

function deflate(offer: string, compressor: "shared" | "dedicated" = "dedicated"): string {
  return chooseDeflateOffer(offer, compressor);
}

test("passes on the parameters of a valid offer that uWS fulfils", () => {
  const offers = {
    "permessage-deflate": "permessage-deflate",
    "Permessage-Deflate": "permessage-deflate",
    "permessage-deflate; client_max_window_bits": "permessage-deflate",
    "permessage-deflate;client_max_window_bits=10": "permessage-deflate",
    'permessage-deflate; server_max_window_bits="12"': "permessage-deflate; server_max_window_bits=12",
    "permessage-deflate; server_max_window_bits=15": "permessage-deflate; server_max_window_bits=14",
    "permessage-deflate; server_max_window_bits=9; client_no_context_takeover":
      "permessage-deflate; client_no_context_takeover; server_max_window_bits=9",
  };
  for (const [offer, accepted] of Object.entries(offers)) {
    assert.equal(deflate(offer), accepted, offer);
  }
  const contextless = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  assert.equal(deflate(contextless, "shared"), "permessage-deflate; client_no_context_takeover");
});

test("offers that uWS would answer without what they ask for are declined", () => {
  assert.equal(deflate("permessage-deflate; server_no_context_takeover"), "");
  assert.equal(deflate("permessage-deflate; server_max_window_bits=8"), "");
  assert.equal(deflate("permessage-deflate; server_max_window_bits=15", "shared"), "");
});

test("offers that RFC 7692 does not allow are declined", () => {
  for (const offer of [
    "",
    "x-webkit-deflate-frame",
    "permessage-bzip2",
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate; server_max_window_bits=16",
    "permessage-deflate; server_max_window_bits=7",
    "permessage-deflate; server_max_window_bits=010",
    "permessage-deflate; server_max_window_bits=",
    'permessage-deflate; server_max_window_bits=10"',
    'permessage-deflate; server_max_window_bits="10',
    "permessage-deflate; client_max_window_bits=16",
    "permessage-deflate; client_max_window_bits=x",
    "permessage-deflate; server_no_context_takeover=1",
    "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
    "permessage-deflate; unknown",
    "permessage-deflate; unknown=1",
    'permessage-deflate"',
    'permessage-deflate; client_max_window_bits="10',
  ]) {
    assert.equal(deflate(offer), "", offer);
  }
});

test("the first offer that uWS can fulfil wins", () => {
  assert.equal(
    deflate(
      "x-webkit-deflate-frame, permessage-deflate; server_max_window_bits=16, permessage-deflate; client_max_window_bits",
    ),
    "permessage-deflate",
  );
  const smallThenAny = "permessage-deflate; server_max_window_bits=10, permessage-deflate";
  assert.equal(deflate(smallThenAny, "shared"), "permessage-deflate");
  assert.equal(deflate(smallThenAny, "dedicated"), "permessage-deflate; server_max_window_bits=10");
});

test("an accepted offer is accepted again as it stands, whatever was sent", () => {
  const piece = fc.constantFrom(
    "permessage-deflate", "client_max_window_bits", "server_max_window_bits", "server_no_context_takeover",
    "client_no_context_takeover", "8", "9", "15", "16", "=", ";", ",", '"', " ", "x",
  ); // biome-ignore format: a list
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 16 }),
      fc.constantFrom("shared", "dedicated"),
      (pieces, compressor) => {
        const accepted = deflate(pieces.join(""), compressor);
        assert.equal(deflate(accepted, compressor), accepted);
        const bits = /server_max_window_bits=(\d+)/.exec(accepted)?.[1];
        if (bits !== undefined) {
          assert.ok(Number(bits) >= 9 && Number(bits) <= 14);
        }
      },
    ),
    { numRuns: 1000 },
  );
});
