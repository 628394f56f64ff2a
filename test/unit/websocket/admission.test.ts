import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Admission,
  type AdmissionLimits,
  type Candidate,
  createAdmission,
} from "../../../src/websocket/admission.ts";

const open: AdmissionLimits = {
  maxConnections: 1_000_000,
  maxConnectionsPerIp: 0,
  handshakeRate: 0,
  handshakeRatePerIp: 0,
  allowOrigin: "any",
};

/** An admission with a clock that the test moves. */
function admissionWith(
  limits: Partial<AdmissionLimits>,
): Admission & { pass: (milliseconds: number) => void } {
  let time = 1000;
  const admission = createAdmission({ ...open, ...limits }, () => time);
  return {
    ...admission,
    pass(milliseconds) {
      time += milliseconds;
    },
  };
}

const someone: Candidate = { address: "192.0.2.1", origin: undefined };

function admitted(admission: Admission, times: number, candidate = someone): number {
  return Array.from({ length: times }, () => admission.admit(candidate)).filter(
    (refusal) => refusal === undefined,
  ).length;
}

test("admits clients up to the capacity, then refuses with 503 and Retry-After", () => {
  const admission = admissionWith({ maxConnections: 3 });
  assert.equal(admitted(admission, 3), 3);
  const refusal = admission.admit(someone);
  assert.equal(refusal?.reason, "capacity");
  assert.equal(refusal.status, 503);
  assert.equal(refusal.headers?.["Retry-After"], "5");
  assert.match(refusal.body, /3 connections, its limit \(--max-connections\)/);
});

test("a released place can be used again, and a refusal uses none", () => {
  const admission = admissionWith({ maxConnections: 1 });
  assert.equal(admitted(admission, 5), 1);
  admission.release(someone.address);
  assert.equal(admitted(admission, 5), 1);
});

test("refuses an address beyond its share with 429 and Retry-After", () => {
  const admission = admissionWith({ maxConnectionsPerIp: 2 });
  assert.equal(admitted(admission, 3), 2);
  const refusal = admission.admit(someone);
  assert.equal(refusal?.reason, "per_ip");
  assert.equal(refusal.status, 429);
  assert.equal(refusal.headers?.["Retry-After"], "1");
  assert.equal(admission.admit({ address: "192.0.2.2", origin: undefined }), undefined, "others are let in");
  admission.release(someone.address);
  assert.equal(admission.admit(someone), undefined);
});

test("admits a burst of one second of handshakes, then admits at the rate", () => {
  const admission = admissionWith({ handshakeRate: 10 });
  assert.equal(admitted(admission, 50), 10);
  const refusal = admission.admit(someone);
  assert.equal(refusal?.reason, "rate");
  assert.equal(refusal.status, 429);
  admission.pass(99);
  assert.equal(admitted(admission, 1), 0);
  admission.pass(1);
  assert.equal(admitted(admission, 2), 1);
  admission.pass(500);
  assert.equal(admitted(admission, 50), 5);
  admission.pass(3_600_000);
  assert.equal(admitted(admission, 50), 10, "an idle hour saves up no more than a second's worth");
});

test("a flooding address uses up its own tokens, not those of others", () => {
  const admission = admissionWith({ handshakeRate: 20, handshakeRatePerIp: 5 });
  assert.equal(admitted(admission, 1000), 5);
  const refusal = admission.admit(someone);
  assert.equal(refusal?.reason, "rate_per_ip");
  assert.equal(refusal.status, 429);
  assert.match(refusal.body, /--handshake-rate-per-ip/);
  const polite = Array.from({ length: 15 }, (_, i) => ({ address: `192.0.2.${i + 10}`, origin: undefined }));
  assert.equal(polite.filter((candidate) => admission.admit(candidate) === undefined).length, 15);
  admission.pass(200);
  assert.equal(admitted(admission, 10), 1);
  admission.pass(60_000);
  assert.equal(admitted(admission, 10), 5);
});

test("a rate per address applies to each of very many addresses", () => {
  const admission = admissionWith({ handshakeRatePerIp: 1 });
  for (const round of [1, 0]) {
    for (let i = 0; i < 50_000; i++) {
      const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
      assert.equal(admitted(admission, 1, { address, origin: undefined }), round);
    }
  }
});

test("the addresses of one IPv6 /64 are one client, whatever their zone", () => {
  const admission = admissionWith({ maxConnectionsPerIp: 2, handshakeRatePerIp: 3 });
  const at = (address: string): Candidate => ({ address, origin: undefined });
  assert.equal(admission.admit(at("2001:db8:0:1::1")), undefined);
  assert.equal(admission.admit(at("2001:db8:0:1:ffff::2%eth0")), undefined);
  assert.equal(admission.admit(at("2001:db8:0:1::3"))?.reason, "per_ip");
  assert.equal(admission.admit(at("2001:db8:0:2::1")), undefined);
  admission.release("2001:db8:0:1::1");
  assert.equal(admission.admit(at("2001:db8:0:1::4")), undefined);
  admission.release("2001:db8:0:1::4");
  assert.equal(admission.admit(at("2001:db8:0:1::5"))?.reason, "rate_per_ip");
});

test("a handshake that is refused for another reason costs no token", () => {
  const admission = admissionWith({ handshakeRate: 2, allowOrigin: ["https://example.org"] });
  const evil = { address: "192.0.2.1", origin: "https://evil.example" };
  assert.equal(admitted(admission, 10, evil), 0);
  assert.equal(admitted(admission, 10), 2);
});

test("pages of other origins get 403; a client without an origin is allowed", () => {
  const admission = admissionWith({ allowOrigin: ["https://example.org", "null"] });
  for (const origin of ["https://example.org", "https://EXAMPLE.org:443", "null", undefined]) {
    assert.equal(admission.admit({ address: "192.0.2.1", origin }), undefined, origin);
  }
  for (const origin of [
    "http://example.org",
    "https://example.org:8443",
    "https://sub.example.org",
    "",
    "nonsense",
    "file:///home/someone/page.html",
    "chrome-extension://abcdefghijklmnop",
    "NULL",
  ]) {
    const refusal = admission.admit({ address: "192.0.2.1", origin });
    assert.equal(refusal?.reason, "origin", origin);
    assert.equal(refusal.status, 403);
  }
});

test("once stopped, refuses every client with 503, whatever else is wrong", () => {
  const admission = admissionWith({ maxConnections: 1, allowOrigin: [] });
  admission.stop();
  const refusal = admission.admit({ address: "192.0.2.1", origin: "https://evil.example" });
  assert.equal(refusal?.reason, "draining");
  assert.equal(refusal.status, 503);
});

test("no order of opens and closes exceeds a limit or loses a place", () => {
  const addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
  const step = fc.record({ isComing: fc.boolean(), address: fc.constantFrom(...addresses) });
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 50, maxLength: 100 }),
      fc.integer({ min: 1, max: 6 }),
      fc.nat(3),
      (steps, max, perIp) => {
        const admission = admissionWith({ maxConnections: max, maxConnectionsPerIp: perIp });
        const inside = new Map(addresses.map((address) => [address, 0]));
        const total = (): number => [...inside.values()].reduce((sum, count) => sum + count, 0);
        for (const { isComing, address } of steps) {
          const count = inside.get(address) ?? 0;
          if (isComing) {
            const expected = total() >= max ? "capacity" : perIp > 0 && count >= perIp ? "per_ip" : undefined;
            assert.equal(admission.admit({ address, origin: undefined })?.reason, expected);
            if (expected === undefined) {
              inside.set(address, count + 1);
            }
          } else if (count > 0) {
            admission.release(address);
            inside.set(address, count - 1);
          }
        }
      },
    ),
  );
});
