import type { HttpResponse } from "uWebSockets.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpConnections, type KeepAliveLimits, SlidingCounts } from "../../../src/http/connections.ts";
import { createStats, slot } from "../../../src/metrics/counters.ts";

const from = (address: string): HttpResponse =>
  ({ getRemoteAddressAsText: () => Buffer.from(address) }) as unknown as HttpResponse;

function keepAliveWith(limits: Partial<KeepAliveLimits>) {
  let time = 0;
  const stats = createStats();
  const connections = new HttpConnections(
    {
      maxHttpConnections: 100,
      maxHttpConnectionsPerIp: 0,
      maxKeepAliveRequests: 0,
      trustProxy: [],
      ...limits,
    },
    stats,
    () => time,
  );
  const granted = (address: string, times: number): number =>
    Array.from({ length: times }, () => connections.keepsAlive(from(address))).filter(Boolean).length;
  const accepted = (address: string, times: number): number =>
    Array.from({ length: times }, () => connections.accepts(from(address))).filter(Boolean).length;
  return {
    stats,
    granted,
    accepted,
    pass(milliseconds: number) {
      time += milliseconds;
    },
  };
}

test("one address has no more connections left open than its share, and gets them back with time", () => {
  const { granted, pass, stats } = keepAliveWith({ maxHttpConnectionsPerIp: 5 });
  assert.equal(granted("192.0.2.1", 20), 5);
  assert.equal(stats[slot.httpKeepAliveRefused], 15);
  assert.equal(granted("192.0.2.2", 20), 5, "others have their own");
  pass(14_000);
  assert.equal(granted("192.0.2.1", 1), 0, "they may still be open");
  pass(28_000);
  assert.equal(granted("192.0.2.1", 20), 5);
});

test("an IPv6 /64 is one client, and a trusted proxy is many", () => {
  const { granted } = keepAliveWith({ maxHttpConnectionsPerIp: 2, trustProxy: ["10.0.0.0/8"] });
  assert.equal(granted("2001:db8::1", 2), 2);
  assert.equal(granted("2001:db8::2", 2), 0);
  assert.equal(granted("10.1.2.3", 50), 50);
});

test("keeps no connection above the total and every connection below it; WebSockets do not count", () => {
  const { granted, stats } = keepAliveWith({ maxHttpConnections: 10 });
  stats[slot.sockets] = 30;
  stats[slot.connections] = 20;
  assert.equal(granted("192.0.2.1", 1), 1);
  stats[slot.sockets] = 31;
  assert.equal(granted("192.0.2.1", 1), 0);
});

test("above the total, an address that has its share already is not accepted, and others are", () => {
  const { accepted, stats } = keepAliveWith({ maxHttpConnections: 100, maxHttpConnectionsPerIp: 10 });
  stats[slot.sockets] = 50;
  assert.equal(accepted("192.0.2.1", 1000), 1000, "addresses are not counted while there is room");
  stats[slot.sockets] = 100;
  assert.equal(accepted("192.0.2.1", 50), 50, "every connection up to the total is accepted");
  stats[slot.sockets] = 101;
  assert.equal(accepted("192.0.2.1", 50), 0);
  assert.equal(accepted("192.0.2.2", 50), 10);
  assert.equal(stats[slot.httpConnectionsRefused], 90);
});

test("a count never exceeds its maximum within any one window", () => {
  let time = 0;
  const counts = new SlidingCounts(100, () => time);
  const added: number[] = [];
  for (; time < 2000; time += 7) {
    if (counts.add("a", 10)) {
      added.push(time);
    }
  }
  for (const start of added) {
    assert.ok(added.filter((at) => at >= start && at < start + 100).length <= 10);
  }
  assert.ok(added.length >= 90);
});
