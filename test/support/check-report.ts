// A CheckReport for tests, with a check of each status.
import { type CheckReport, checkSchema, failuresOf } from "../../bench/result/check.ts";
import { exampleResult } from "./result.ts";

const nothing = { facts: {}, advice: null };

export function exampleCheck(changes: Partial<CheckReport> = {}): CheckReport {
  const checks: CheckReport["checks"] = [
    {
      ...nothing,
      id: "upgrade",
      group: "handshake",
      title: "101 and headers",
      status: "differs",
      seen: "101 after 7 ms; server: proxy | 1",
      direct: { ...nothing, status: "pass", seen: "101 after 2 ms" },
    },
    {
      ...nothing,
      id: "idle-silent",
      group: "idle",
      title: "silence",
      status: "fails",
      seen: "after 60 s of silence: the target ended the connection without a close frame",
      direct: { ...nothing, status: "pass", seen: "open after 65 s of silence" },
      advice: "cuts silence after 60 s; a ping every 45 s keeps it; the cause lies in between",
    },
    {
      ...nothing,
      id: "idle-data",
      group: "idle",
      title: "kept by messages",
      status: "not-tested",
      seen: "the target does not echo <b>messages</b>",
      direct: { ...nothing, status: "not-tested", seen: "the target does not echo messages" },
    },
  ];
  return checkSchema.parse({
    kind: "uws-echo-bench/check",
    version: 1,
    startedAt: "2026-11-24T14:53:48.514Z",
    durationMs: 66_000,
    command: ["check", "ws://proxy.example/echo"],
    url: "ws://proxy.example/echo",
    directUrl: "ws://10.0.0.11:9998/echo",
    idleMs: 65_000,
    timeoutMs: 10_000,
    maxSizeBytes: 1_048_576,
    isEcho: false,
    isUwsEcho: false,
    partial: null,
    failures: failuresOf({ checks, partial: null }),
    checks,
    idle: { through: [], direct: [] },
    environment: exampleResult().environment,
    ...changes,
  });
}
