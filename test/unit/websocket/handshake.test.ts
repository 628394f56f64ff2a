import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import type { RequestHeaders } from "../../../src/http/headers.ts";
import { chooseSubprotocol, readHandshake } from "../../../src/websocket/handshake.ts";
import type { Refusal } from "../../../src/websocket/refusals.ts";

const proper: RequestHeaders = {
  host: "localhost",
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

function refusalOf(headers: RequestHeaders): Refusal | undefined {
  return readHandshake(headers).refusal;
}

function without(name: string): RequestHeaders {
  return Object.fromEntries(Object.entries(proper).filter(([key]) => key !== name));
}

test("parses a handshake as in RFC 6455", () => {
  assert.deepEqual(readHandshake(proper), {
    key: "dGhlIHNhbXBsZSBub25jZQ==",
    subprotocols: [],
    extensions: "",
  });
  const headers = {
    ...proper,
    "sec-websocket-protocol": "b, a,,c ",
    "sec-websocket-extensions": "permessage-deflate; client_max_window_bits",
  };
  assert.deepEqual(readHandshake(headers), {
    key: "dGhlIHNhbXBsZSBub25jZQ==",
    subprotocols: ["b", "a", "c"],
    extensions: "permessage-deflate; client_max_window_bits",
  });
});

test("Upgrade and Connection are lists of tokens without case", () => {
  for (const change of [
    { upgrade: "WebSocket" },
    { upgrade: "h2c, websocket" },
    { connection: "keep-alive, Upgrade" },
    { connection: "UPGRADE" },
  ]) {
    assert.equal(refusalOf({ ...proper, ...change }), undefined, JSON.stringify(change));
  }
});

test("answers a request that is not a handshake with 426 and the supported protocol", () => {
  for (const headers of [
    {},
    without("upgrade"),
    without("connection"),
    { ...proper, upgrade: "foo" },
    { ...proper, upgrade: "websocket2" },
    { ...proper, connection: "close" },
  ]) {
    const refusal = refusalOf(headers);
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
    const refusal = refusalOf(headers);
    assert.equal(refusal?.reason, "bad_version");
    assert.equal(refusal.status, 426);
    assert.equal(refusal.headers?.["Sec-WebSocket-Version"], "13");
  }
});

test("accepts a key of 16 bytes and refuses any other length with 400", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const key = Buffer.from(bytes).toString("base64");
      const refusal = refusalOf({ ...proper, "sec-websocket-key": key });
      assert.equal(refusal?.reason, bytes.length === 16 ? undefined : "bad_key");
      assert.equal(refusal?.status, bytes.length === 16 ? undefined : 400);
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
  ]) {
    assert.equal(refusalOf({ ...proper, "sec-websocket-key": bad })?.reason, "bad_key", bad);
  }
});

test("a sub-protocol that is not a token gets 400", () => {
  for (const offered of ["two words", "a, b c", "a/b", "ä", '"a"', 'a"b']) {
    assert.equal(
      refusalOf({ ...proper, "sec-websocket-protocol": offered })?.reason,
      "bad_subprotocol",
      offered,
    );
  }
  for (const offered of ["mqtt", "v1.stomp, v2.stomp", "a,,b", "ocpp1.6"]) {
    assert.equal(refusalOf({ ...proper, "sec-websocket-protocol": offered }), undefined, offered);
  }
});

test("no header makes the check throw, and every refusal has a sentence", () => {
  const value = fc.oneof(fc.string(), fc.constantFrom(...Object.values(proper), '"', ",", "13, 13"));
  fc.assert(
    fc.property(
      fc.record(Object.fromEntries(Object.keys(proper).map((name) => [name, value]))),
      (headers) => {
        const refusal = refusalOf(headers);
        if (refusal !== undefined) {
          assert.match(refusal.body, /\.\n$/);
        }
      },
    ),
  );
});

test("selects the server's first sub-protocol that is offered", () => {
  const offered = ["wamp", "stomp", "mqtt"];
  assert.equal(chooseSubprotocol(offered, ["mqtt", "stomp"]), "mqtt");
  assert.equal(chooseSubprotocol(offered, ["soap", "stomp"]), "stomp");
  assert.equal(chooseSubprotocol(offered, ["soap"]), "");
  assert.equal(chooseSubprotocol(offered, ["MQTT"]), "", "names are case-sensitive");
  assert.equal(chooseSubprotocol(offered, "any"), "wamp");
  assert.equal(chooseSubprotocol(offered, "none"), "");
  assert.equal(chooseSubprotocol([], "any"), "");
  assert.equal(chooseSubprotocol([], ["mqtt"]), "");
});

test("selects only offered sub-protocols of the server", () => {
  const name = fc.constantFrom("a", "b", "c", "d");
  fc.assert(
    fc.property(fc.array(name), fc.array(name), (offered, spoken) => {
      const chosen = chooseSubprotocol(offered, spoken);
      const expected = spoken.find((each) => offered.includes(each)) ?? "";
      assert.equal(chosen, expected);
    }),
  );
});
