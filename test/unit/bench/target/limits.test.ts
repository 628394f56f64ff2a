import assert from "node:assert/strict";
import { test } from "node:test";
import { limitProblems } from "../../../../bench/target/limits.ts";

test("more connections than this machine can have are refused with the setting that allows more", () => {
  const text = limitProblems({ connections: 1e9, sources: 0, isLocal: false }).join("\n");
  assert.match(
    text,
    /1000000000 connections need more than the \d+ file descriptors allowed: raise ulimit -n/,
  );
  assert.match(text, /local ports for one target: sysctl -w net\.ipv4\.ip_local_port_range="1024 65535"/);
  assert.match(text, /take some \d+ MiB of memory here, and \d+ MiB are available/);
});

test("local ports do not count on loopback, where there are many addresses", () => {
  assert.doesNotMatch(limitProblems({ connections: 1e9, sources: 0, isLocal: true }).join(), /local ports/);
});

test("accepts a handful of connections", () => {
  assert.deepEqual(limitProblems({ connections: 10, sources: 0, isLocal: false }), []);
});
