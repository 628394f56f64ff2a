import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import {
  checkHandshake,
  chooseDeflateOffer,
  chooseSubprotocol,
  type RequestHeaders,
} from "../../../src/websocket/handshake.ts";

const proper: RequestHeaders = {
  host: "localhost",
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

function without(name: string): RequestHeaders {
  return Object.fromEntries(Object.entries(proper).filter(([key]) => key !== name));
}

test("a handshake as in RFC 6455 is accepted", () => {
  assert.equal(checkHandshake(proper), undefined);
});

test("Upgrade and Connection are lists of tokens without case", () => {
  for (const change of [
    { upgrade: "WebSocket" },
    { upgrade: "h2c, websocket" },
    { connection: "keep-alive, Upgrade" },
    { connection: "UPGRADE" },
  ])
    assert.equal(checkHandshake({ ...proper, ...change }), undefined, JSON.stringify(change));
});

test("what does not ask for a WebSocket gets 426 that says what is spoken", () => {
  for (const headers of [
    {},
    without("upgrade"),
    without("connection"),
    { ...proper, upgrade: "foo" },
    { ...proper, upgrade: "websocket2" },
    { ...proper, connection: "close" },
  ]) {
    const refusal = checkHandshake(headers);
    assert.equal(refusal?.reason, "not_websocket", JSON.stringify(headers));
    assert.equal(refusal.status, 426);
    assert.deepEqual(refusal.headers, {
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Version": "13",
    });
  }
});

test("another version of the protocol, or none, gets 426 with version 13", () => {
  for (const headers of [
    without("sec-websocket-version"),
    ...["8", "14", "013", "13, 8", ""].map((version) => ({ ...proper, "sec-websocket-version": version })),
  ]) {
    const refusal = checkHandshake(headers);
    assert.equal(refusal?.reason, "bad_version");
    assert.equal(refusal.status, 426);
    assert.equal(refusal.headers?.["Sec-WebSocket-Version"], "13");
  }
});

test("a key of any 16 octets is good, and of any other number is 400", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
      const key = Buffer.from(octets).toString("base64");
      const refusal = checkHandshake({ ...proper, "sec-websocket-key": key });
      assert.equal(refusal?.reason, octets.length === 16 ? undefined : "bad_key");
      assert.equal(refusal?.status, octets.length === 16 ? undefined : 400);
    }),
  );
  const key = randomBytes(16).toString("base64");
  for (const bad of [
    "",
    key.slice(0, 22),
    `${key}=`,
    ` ${key}`,
    `${key},${key}`,
    "*".repeat(22).concat("=="),
  ])
    assert.equal(checkHandshake({ ...proper, "sec-websocket-key": bad })?.reason, "bad_key", bad);
});

test("a sub-protocol that is no token is 400", () => {
  for (const offered of ["two words", "a, b c", "a/b", "ä", '"a"', 'a"b'])
    assert.equal(
      checkHandshake({ ...proper, "sec-websocket-protocol": offered })?.reason,
      "bad_subprotocol",
      offered,
    );
  for (const offered of ["mqtt", "v1.stomp, v2.stomp", "a,,b", "ocpp1.6"])
    assert.equal(checkHandshake({ ...proper, "sec-websocket-protocol": offered }), undefined, offered);
});

test("no header makes the check throw, and every refusal has a sentence", () => {
  const value = fc.oneof(fc.string(), fc.constantFrom(...Object.values(proper), '"', ",", "13, 13"));
  fc.assert(
    fc.property(
      fc.record(Object.fromEntries(Object.keys(proper).map((name) => [name, value]))),
      (headers) => {
        const refusal = checkHandshake(headers);
        if (refusal !== undefined) assert.match(refusal.body, /\.\n$/);
      },
    ),
  );
});

test("our first sub-protocol that is offered is chosen", () => {
  const headers = { "sec-websocket-protocol": "wamp, stomp,mqtt" };
  assert.equal(chooseSubprotocol(headers, ["mqtt", "stomp"]), "mqtt");
  assert.equal(chooseSubprotocol(headers, ["soap", "stomp"]), "stomp");
  assert.equal(chooseSubprotocol(headers, ["soap"]), "");
  assert.equal(chooseSubprotocol(headers, ["MQTT"]), "", "names have case");
  assert.equal(chooseSubprotocol(headers, "any"), "wamp");
  assert.equal(chooseSubprotocol(headers, "none"), "");
  assert.equal(chooseSubprotocol({}, "any"), "");
  assert.equal(chooseSubprotocol({}, ["mqtt"]), "");
});

test("what is chosen was offered, and is one of ours", () => {
  const name = fc.constantFrom("a", "b", "c", "d");
  fc.assert(
    fc.property(fc.array(name), fc.array(name), (offered, spoken) => {
      const chosen = chooseSubprotocol({ "sec-websocket-protocol": offered.join(", ") }, spoken);
      const expected = spoken.find((each) => offered.includes(each)) ?? "";
      assert.equal(chosen, expected);
    }),
  );
});

function deflate(offer: string, compressor: "shared" | "dedicated" = "dedicated"): string {
  return chooseDeflateOffer({ "sec-websocket-extensions": offer }, compressor);
}

test("of a valid offer, what uWS will keep is passed on", () => {
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
  for (const [offer, accepted] of Object.entries(offers)) assert.equal(deflate(offer), accepted, offer);
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
  ])
    assert.equal(deflate(offer), "", offer);
});

test("the first offer that can be kept wins", () => {
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
        if (bits !== undefined) assert.ok(Number(bits) >= 9 && Number(bits) <= 14);
      },
    ),
    { numRuns: 1000 },
  );
});
