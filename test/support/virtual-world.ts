// An environment for `measure` without threads, sockets or real time, in which every run gives the same Result.

import type { Connection, ConnectionEvents } from "../../bench/engine/connection.ts";
import { Generator } from "../../bench/load/generator.ts";
import type { World } from "../../bench/measure/run.ts";
import type { WebSocketScenario } from "../../bench/measure/scenario.ts";
import { describeEnvironment } from "../../bench/target/environment.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** How the target behaves. All times are nanoseconds from the start of the clock. */
export interface VirtualTarget {
  /** When the reply to a message that was sent at `sentNs` arrives; undefined for never. */
  readonly replyAtNs: (sentNs: number, connection: number, sequence: number) => number | undefined;
  /** How long a handshake takes. */
  readonly handshakeNs?: number;
  /** Connections that cannot be opened. */
  readonly refuses?: (connection: number, nowNs: number) => boolean;
  /** The kind of error of those. */
  readonly refusal?: string;
  /** The Retry-After of refused connections. */
  readonly retryAfterMs?: number;
  /** When the target closes a connection that has just opened, and with which code; undefined for never. */
  readonly closes?: (connection: number, openedNs: number) => { atNs: number; code: number } | undefined;
  /** When the target dies. */
  readonly diesAtNs?: number;
  /** While this is true, connections accept no more messages. */
  readonly isClogged?: (nowNs: number) => boolean;
  /** Called with each message that has its own content, and its connection. */
  readonly onContent?: (content: Uint8Array, connection: number, nowNs: number) => void;
  /** Called with each message sent: lets the generator be busy. */
  readonly onSend?: (sequence: number) => void;
}

/** CPU time of the one generator: a tenth of the time that has passed. */
const cpuShare = 0.1;

const quietMachine = {
  loadAverage: 0,
  cores: 2,
  busySeconds: null,
  stealSeconds: null,
  pressureSeconds: null,
};

export function createVirtualWorld(clock: VirtualClock, target: VirtualTarget): World {
  return {
    clock,
    now: () => new Date(Date.UTC(2026, 10, 22) + clock.nowNs() / 1e6),
    environment: describeEnvironment,
    locate: () => Promise.resolve({ local: true, overIpv4Loopback: true }),
    markMachine: () => quietMachine,
    processUsage: () => ({ waitedUs: 0, cpuUs: (cpuShare * clock.nowNs()) / 1000, rssBytes: 50_000_000 }),
    startHttp: () => {
      throw new Error("autocannon has no virtual clock");
    },
    startThread: (plan, events) => {
      const generator = new Generator({
        plan,
        clock,
        createEngine: () => (index, _localAddress, toGenerator) =>
          connectVirtually(clock, target, index, toGenerator),
        report: (report) => events.onReport(structuredClone(report)),
        threadCpuNs: () => cpuShare * clock.nowNs(),
      });
      clock.callSoon(() => generator.connect());
      return {
        send: (command) => (command.kind === "begin" ? generator.begin(command.startNs) : generator.stop()),
        terminate: () => Promise.resolve(),
      };
    },
  };
}

function connectVirtually(
  clock: VirtualClock,
  target: VirtualTarget,
  index: number,
  events: ConnectionEvents,
): void {
  let isOpen = false;
  const close = (kind: string, detail: string): void => {
    if (isOpen || detail === "refused") {
      isOpen = false;
      const { retryAfterMs } = target;
      events.onClosed(index, detail === "refused" ? { kind, detail, retryAfterMs } : { kind, detail });
    }
  };
  const connection: Connection = {
    index,
    isCompressed: false,
    sendContent: (content) => target.onContent?.(content, index, clock.nowNs()),
    ping: (payload) =>
      clock.callAtNs(clock.nowNs() + 250_000, () => {
        if (isOpen) {
          events.onPong(connection, payload);
        }
      }),
    wireBytes: () => ({ sent: 0, received: 0 }),
    isClogged: () => target.isClogged?.(clock.nowNs()) ?? false,
    close: () => clock.callSoon(() => close("closed-1000", "goodbye")),
    destroy: () => clock.callSoon(() => close("closed-1006", "cut")),
    send(sequence, count) {
      for (let i = sequence; i < sequence + count; i += 1) {
        const atNs = target.replyAtNs(clock.nowNs(), index, i);
        if (atNs !== undefined) {
          clock.callAtNs(atNs, () => {
            if (isOpen) {
              events.onReplies(connection, 1);
            }
          });
        }
        target.onSend?.(i);
      }
    },
  };
  clock.callAtNs(clock.nowNs() + (target.handshakeNs ?? 250_000), () => {
    if (target.refuses?.(index, clock.nowNs()) === true) {
      close(target.refusal ?? "unreachable", "refused");
      return;
    }
    isOpen = true;
    events.onOpen(connection);
    const closing = target.closes?.(index, clock.nowNs());
    if (closing !== undefined) {
      clock.callAtNs(closing.atNs, () => close(`closed-${closing.code}`, "the target closed it"));
    }
  });
  if (target.diesAtNs !== undefined) {
    clock.callAtNs(target.diesAtNs, () => close("reset", "the target died"));
  }
}

/** A closed loop with one message in flight on each of ten connections, for two seconds. */
export function exampleScenario(changes: Partial<WebSocketScenario> = {}): WebSocketScenario {
  return {
    kind: "websocket",
    label: null,
    endpoint: {
      url: "ws://127.0.0.1:9998/echo",
      headers: [],
      subprotocols: [],
      origin: undefined,
      caPem: undefined,
      insecure: false,
      deflate: false,
      timeoutMs: 1000,
      payloads: [new Uint8Array(64)],
      type: "binary",
      verify: "length",
    },
    engine: "raw",
    seed: 1,
    loop: { kind: "closed", depth: 1 },
    connections: 10,
    connectionsPerSecond: undefined,
    sources: [],
    threads: 1,
    fill: "random",
    warmupMs: 1000,
    durationMs: 2000,
    ...changes,
  };
}
