// HTTP as a traffic of a session, beside WebSocket connections and alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { reportSession } from "../../../bench/measure/session-report.ts";
import { constant } from "../../../bench/scenario/curve.ts";
import type { Traffic } from "../../../bench/scenario/traffic.ts";
import { startServer } from "../../support/echo-server.ts";
import { freePort } from "../../support/free-port.ts";
import { groupOf, runHere, sessionWith, startServer as startListener } from "../../support/real-session.ts";

function http(url: string, changes: Partial<Extract<Traffic, { kind: "http" }>> = {}): Traffic {
  return {
    kind: "http",
    url,
    method: "GET",
    headers: {},
    body: undefined,
    pipelining: 1,
    verify: "none",
    ...changes,
  };
}

const echo: Traffic = {
  kind: "echo",
  loop: { kind: "open", rate: constant(100), arrivals: "even" },
  messages: {
    payloads: [{ content: Buffer.from("hello"), weight: 1 }],
    type: "text",
    verify: "full",
  },
  match: "fifo",
};

test("HTTP requests are counted in their own group, beside echoes", async (t) => {
  const server = await startServer(t);
  const inspect = new URL("/inspect", server.urls.echo.replace("ws", "http")).href;
  const groups = [groupOf("echo", 2, echo), groupOf("scrapes", 2, http(inspect, { requestsPerSecond: 5 }))];
  const step = { durationMs: 500, measured: true, abortIf: [] };
  const timeline = [
    { ...step, name: "first" },
    { ...step, name: "second" },
  ];
  const scenario = sessionWith(server.urls.echo, groups, 0, { timeline });
  const outcome = await runHere(scenario);
  assert.deepEqual(outcome.errors, {});
  assert.equal(outcome.endedEarly, null);
  const sum = (group: string, name: "answered" | "sent" | "lost") =>
    outcome.steps.reduce((total, { groups: all }) => total + (all[group]?.counters[name] ?? 0), 0);
  assert.equal(sum("echo", "sent"), 100);
  assert.equal(sum("echo", "answered"), 100);
  const scrapes = sum("scrapes", "answered");
  assert.ok(
    scrapes >= 2 && scrapes <= 20,
    `${scrapes} with a limit of 5 per second on each of 2 connections`,
  );
  assert.equal(sum("scrapes", "lost"), 0);
  assert.ok(outcome.steps.some(({ groups: all }) => all["scrapes"]?.openConnections === 2));
  const served = (await server.stats())['echo_http_requests_total{route="/inspect",code="200"}'];
  assert.ok((served ?? 0) >= scrapes, `${served} served`);
  const report = reportSession({ label: null, scenario, thresholds: [] }, outcome);
  assert.deepEqual(report.failures, []);
  assert.ok((report.steps[0]?.groups["scrapes"]?.times["latency"]?.latencyUs.p99 ?? 0) > 0);
});

test("a session ends by its guards when the target of HTTP requests refuses every connection", async (t) => {
  const url = await startListener(t, (socket) => socket.on("message", (data) => socket.send(data)));
  const closed = `http://127.0.0.1:${await freePort()}/`;
  const groups = [groupOf("listen", 1, { kind: "idle" }), groupOf("refused", 1, http(closed))];
  const { steps, endedEarly } = await runHere(
    sessionWith(url, groups, 30_000, { guards: { goneAfterMs: 30_000, maxFailures: 3 } }),
  );
  assert.match(endedEarly?.reason ?? "", /more than 3 connections failed/);
  assert.ok((steps[0]?.groups["refused"]?.counters.failed ?? 0) > 3);
});

test("a session of HTTP alone verifies bodies, and fails with an error status", async (t) => {
  const server = await startServer(t);
  const base = server.urls.echo.replace("ws", "http");
  const body = http(base, { method: "POST", body: "some text", verify: "full" });
  const scenario = sessionWith(server.urls.echo, [groupOf("all", 2, body)]);
  const outcome = await runHere(scenario);
  assert.ok((outcome.steps[0]?.groups["all"]?.counters.answered ?? 0) > 0);
  assert.deepEqual(reportSession({ label: null, scenario, thresholds: [] }, outcome).failures, []);
  assert.match(outcome.payloadSha256["all"] ?? "", /^[0-9a-f]{64}$/);

  const alone = await runHere(
    sessionWith(server.urls.echo, [groupOf("all", 1, http(new URL("/missing", base).href))]),
  );
  assert.deepEqual([alone.steps, alone.endedEarly?.reason], [[], "no connection could be opened"]);
  assert.deepEqual(Object.keys(alone.errors), ["status-404"]);

  const groups = [groupOf("echo", 1, echo), groupOf("missing", 1, http(new URL("/missing", base).href))];
  const wrong = sessionWith(server.urls.echo, groups);
  const { failures } = reportSession({ label: null, scenario: wrong, thresholds: [] }, await runHere(wrong));
  assert.match(failures.join(), /HTTP responses had another status than 2xx/);
});
