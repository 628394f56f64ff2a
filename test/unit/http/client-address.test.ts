import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  clientAddress,
  clientGroup,
  normalizeAddress,
  trustNetworks,
} from "../../../src/http/client-address.ts";

test("an address has one canonical form", () => {
  const spellings = {
    "10.0.0.1": "10.0.0.1",
    "::ffff:10.0.0.1": "10.0.0.1",
    "0000:0000:0000:0000:0000:ffff:0a00:0001": "10.0.0.1",
    "2001:0DB8:0:0:0:0:0:1": "2001:db8::1",
    "::1": "::1",
    "10.0.0.1:5000": "10.0.0.1",
    "[2001:db8::1]": "2001:db8::1",
    "[2001:db8::1]:443": "2001:db8::1",
  };
  for (const [text, address] of Object.entries(spellings)) {
    assert.equal(normalizeAddress(text), address, text);
  }
});

test("text that is not an address has none", () => {
  for (const text of [
    "",
    "unknown",
    "_hidden",
    "localhost",
    "10.0.0.256",
    "10.0.0.1:x",
    "[::1",
    "1:2",
    "10",
    "010.0.0.1",
    "0x0a.0.0.1",
  ]) {
    assert.equal(normalizeAddress(text), undefined, text);
  }
});

test("an IPv4 address is a client, and so is a /64 of IPv6", () => {
  assert.equal(clientGroup("10.0.0.1"), "10.0.0.1");
  assert.equal(clientGroup("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2");
  assert.equal(clientGroup("2001:db8:1:2::"), "2001:db8:1:2");
  assert.equal(clientGroup("fe80::1%eth0"), "fe80:0:0:0");
  assert.equal(clientGroup(""), "");
});

test("the canonical form is stable, and mapped IPv4 is the same as IPv4", () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV6(), (v4, v6) => {
      assert.equal(normalizeAddress(v4), v4);
      assert.equal(normalizeAddress(`::ffff:${v4}`), v4);
      const once = normalizeAddress(v6);
      assert.ok(once !== undefined);
      assert.equal(normalizeAddress(once), once);
    }),
  );
});

test("a network has the addresses of its prefix, in both families", () => {
  const trusts = trustNetworks(["10.0.0.0/8", "2001:db8::/32", "::1/128"]);
  for (const address of ["10.0.0.1", "10.255.255.255", "2001:db8:1::1", "::1"]) {
    assert.equal(trusts(address), true, address);
  }
  for (const address of ["11.0.0.1", "2001:db9::1", "::2", "127.0.0.1"]) {
    assert.equal(trusts(address), false, address);
  }
});

test("a network of mapped IPv4 is an IPv4 network", () => {
  const trusts = trustNetworks(["::ffff:10.0.0.0/104"]);
  assert.equal(trusts("10.0.0.0"), true);
  assert.equal(trusts("10.255.255.255"), true);
  assert.equal(trusts("11.0.0.0"), false);
});

test("0.0.0.0/0 and ::/0 trust every address of their family", () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      assert.equal(trustNetworks(["0.0.0.0/0"])(address), true);
      assert.equal(trustNetworks(["::/0"])(address), false);
      assert.equal(trustNetworks([])(address), false);
    }),
  );
});

test("the client is the last forwarded address that no trusted proxy has", () => {
  const trusts = trustNetworks(["10.0.0.0/8"]);
  const cases: readonly [remote: string, forwardedFor: string | undefined, client: string][] = [
    ["10.0.0.1", "203.0.113.7", "203.0.113.7"],
    ["10.0.0.1", "203.0.113.7, 10.0.0.2", "203.0.113.7"],
    ["10.0.0.1", "198.51.100.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"],
    ["10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"],
    ["10.0.0.1", "[2001:db8::1]:9999", "2001:db8::1"],
    ["10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["10.0.0.1", undefined, "10.0.0.1"],
    ["10.0.0.1", "", "10.0.0.1"],
    ["10.0.0.1", "unknown", "10.0.0.1"],
    ["10.0.0.1", "203.0.113.7, unknown", "10.0.0.1"],
    ["203.0.113.9", "198.51.100.1", "203.0.113.9"],
  ];
  for (const [remote, forwardedFor, client] of cases) {
    assert.equal(clientAddress(remote, forwardedFor, trusts), client, `${remote} <- ${forwardedFor}`);
  }
});

test("without trusted proxies no header changes a client's address", () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.string(), (remote, forwardedFor) => {
      assert.equal(clientAddress(remote, forwardedFor, trustNetworks([])), remote);
    }),
  );
});

test("a disconnected peer has no address, and is never trusted", () => {
  for (const networks of [[], ["10.0.0.0/8"], ["::/0", "0.0.0.0/0"]]) {
    assert.equal(clientAddress("", "203.0.113.7", trustNetworks(networks)), "");
  }
});
