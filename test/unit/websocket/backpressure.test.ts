// Tests what real sockets do not do on command: exact amounts, bytes written without an event, hours of
// stalling. The rest is tested over real sockets in test/integration/backpressure.test.ts.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import {
  bufferedAmountBounds,
  createStats,
  type Stats,
  slot,
  sumSlots,
  type TerminationReason,
  terminationReasons,
} from "../../../src/metrics/counters.ts";
import { Backpressure, type BackpressureLimits } from "../../../src/websocket/backpressure.ts";
import type { Connection, EchoSocket, SocketData } from "../../../src/websocket/connection.ts";

/** The part of a uWS socket that Backpressure uses. Like uWS, it reports a close before close() returns. */
class FakeSocket {
  amount = 0;
  /** How it ended: the code of a close frame, or "hard". */
  ended: number | "hard" | undefined;
  reason = "";
  readonly #connection: Connection = {
    address: "",
    openedAt: 0,
    buffered: 0,
    pressuredAt: 0,
    progressAt: 0,
    lifetime: undefined,
    allowance: undefined,
  };
  readonly #onClosed: (ws: EchoSocket) => void;

  constructor(onClosed: (ws: EchoSocket) => void) {
    this.#onClosed = onClosed;
  }

  get ws(): EchoSocket {
    return this as unknown as EchoSocket;
  }

  getUserData(): SocketData {
    return { connection: this.#connection };
  }

  getBufferedAmount(): number {
    if (this.ended !== undefined) {
      throw new Error("Invalid access of closed uWS.WebSocket");
    }
    return this.amount;
  }

  end(code: number, reason: Uint8Array): void {
    this.#close(code, Buffer.from(reason).toString());
  }

  close(): void {
    this.#close("hard", "");
  }

  #close(how: number | "hard", reason: string): void {
    if (this.ended !== undefined) {
      throw new Error("Invalid access of closed uWS.WebSocket");
    }
    this.ended = how;
    this.reason = reason;
    this.#onClosed(this.ws);
  }
}

const miB = 1024 * 1024;
/** Longer than the interval at which slow readers are checked. */
const sweep = 250;

interface Bench {
  readonly backpressure: Backpressure;
  readonly stats: Stats;
  readonly terminated: [TerminationReason, number][];
  connect(): FakeSocket;
  /** Moves the clock and runs what is due. */
  pass(milliseconds: number): void;
  /** Moves the clock while nothing runs. */
  freeze(milliseconds: number): void;
}

function bench(t: TestContext, limits: Partial<BackpressureLimits> = {}): Bench {
  let time = 0;
  t.mock.timers.enable({ apis: ["setInterval"] });
  const stats = createStats();
  const terminated: [TerminationReason, number][] = [];
  const all = { maxBuffered: miB, stallTimeout: 1000, onBackpressure: "close", ...limits } as const;
  const backpressure = new Backpressure(
    all,
    stats,
    () => time,
    (_ws, reason, bytes) => terminated.push([reason, bytes]),
  );
  t.after(() => backpressure.stop());
  return {
    backpressure,
    stats,
    terminated,
    connect: () => new FakeSocket((ws) => backpressure.forget(ws)),
    freeze(milliseconds) {
      time += milliseconds;
      t.mock.timers.tick(sweep);
    },
    pass(milliseconds) {
      for (let passed = 0; passed < milliseconds; passed += sweep) {
        time += sweep;
        t.mock.timers.tick(sweep);
      }
    },
  };
}

function terminations(stats: Stats, reason: TerminationReason): number | undefined {
  return stats[slot.connectionsTerminated + terminationReasons.indexOf(reason)];
}

/** send() returned BUFFERED, and this much is now buffered. By default no byte was written in the meantime. */
function buffer(
  backpressure: Backpressure,
  socket: FakeSocket,
  amount: number,
  addedBytes = amount - socket.amount,
): void {
  socket.amount = amount;
  backpressure.buffered(socket.ws, addedBytes);
}

function drainTo(backpressure: Backpressure, socket: FakeSocket, amount: number): void {
  socket.amount = amount;
  backpressure.drained(socket.ws);
}

test("a buffered send is counted with the amount that waits afterwards", (t) => {
  const { backpressure, stats, connect } = bench(t);
  const socket = connect();
  buffer(backpressure, socket, 5000);
  buffer(backpressure, socket, 9000);
  assert.equal(stats[slot.sendsBuffered], 2);
  assert.equal(stats[slot.bufferedAmount + bufferedAmountBounds.indexOf(16_384)], 2);
  assert.equal(stats[slot.bufferedAmountSum], 14_000);
  assert.equal(stats[slot.bufferedBytes], 9000);
  assert.equal(stats[slot.backpressuredConnections], 1);
});

test("the total is the sum of what waits on every connection, whatever happens", () => {
  const step = fc.record({
    which: fc.nat(3),
    action: fc.constantFrom("buffer", "drain", "close"),
    amount: fc.nat(200_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const stats = createStats();
      const backpressure = new Backpressure(
        { maxBuffered: 1024 * miB, stallTimeout: 0, onBackpressure: "close" },
        stats,
        () => 0,
        () => undefined,
      );
      const connect = (): FakeSocket => new FakeSocket((ws) => backpressure.forget(ws));
      const sockets = [connect(), connect(), connect(), connect()];
      for (const { which, action, amount } of steps) {
        const socket = sockets[which] ?? connect();
        if (action === "buffer") {
          buffer(backpressure, socket, socket.amount + amount);
        }
        if (action === "drain") {
          drainTo(backpressure, socket, Math.max(0, socket.amount - amount));
        }
        if (action === "close") {
          socket.close();
          sockets[which] = connect();
        }
        const amounts = sockets.map((each) => each.amount);
        assert.equal(
          stats[slot.bufferedBytes],
          amounts.reduce((sum, each) => sum + each, 0),
        );
        assert.equal(stats[slot.backpressuredConnections], amounts.filter((each) => each > 0).length);
      }
      backpressure.stop();
    }),
  );
});

test("over --max-buffered the slowest go, the largest buffer first, until the rest fits", (t) => {
  const { backpressure, stats, terminated, connect } = bench(t, { maxBuffered: 1000 });
  const [small, large, largest] = [connect(), connect(), connect()];
  buffer(backpressure, small, 100);
  buffer(backpressure, largest, 500);
  buffer(backpressure, large, 400);
  assert.deepEqual(terminated, []);
  buffer(backpressure, small, 700);
  assert.deepEqual(
    [small, large, largest].map((socket) => socket.ended),
    ["hard", undefined, undefined],
    "700 + 400 + 500 is over by 600: one is enough",
  );
  buffer(backpressure, large, 2000);
  assert.equal(large.ended, "hard");
  assert.equal(largest.ended, undefined);
  assert.deepEqual(terminated, [
    ["buffer_cap", 700],
    ["buffer_cap", 2000],
  ]);
  assert.equal(terminations(stats, "buffer_cap"), 2);
  assert.equal(stats[slot.bufferedBytes], 500);
});

test("one connection that is over --max-buffered alone is closed, and the total is zero again", (t) => {
  const { backpressure, stats, connect } = bench(t, { maxBuffered: 1000 });
  const socket = connect();
  buffer(backpressure, socket, 1001);
  assert.equal(socket.ended, "hard");
  assert.equal(stats[slot.bufferedBytes], 0);
  assert.equal(stats[slot.backpressuredConnections], 0);
});

test("pongs that wait are counted, and bound by --max-buffered like echoes", (t) => {
  const { backpressure, stats, connect } = bench(t, { maxBuffered: 1000 });
  const socket = connect();
  backpressure.ponged(socket.ws, 100);
  assert.equal(stats[slot.backpressuredConnections], 0);
  socket.amount = 900;
  backpressure.ponged(socket.ws, 100);
  assert.equal(stats[slot.bufferedBytes], 900);
  assert.equal(stats[slot.sendsBuffered], 0, "a pong is not an echo");
  socket.amount = 1100;
  backpressure.ponged(socket.ws, 100);
  assert.equal(socket.ended, "hard");
});

test("an echo that was dropped is counted with its bytes and closes the connection hard", (t) => {
  const { backpressure, stats, terminated, connect } = bench(t);
  const socket = connect();
  buffer(backpressure, socket, 5000);
  backpressure.dropped(socket.ws, 300, true);
  assert.equal(stats[slot.binaryDropped], 1);
  assert.equal(stats[slot.binaryDroppedBytes], 300);
  assert.equal(stats[slot.textDropped], 0);
  assert.equal(socket.ended, "hard");
  assert.deepEqual(terminated, [["backpressure", 5000]]);
});

test("--on-backpressure drop counts the echo and keeps the connection", (t) => {
  const { backpressure, stats, terminated, connect } = bench(t, { onBackpressure: "drop" });
  const socket = connect();
  buffer(backpressure, socket, 5000);
  backpressure.dropped(socket.ws, 300, false);
  assert.equal(stats[slot.textDropped], 1);
  assert.equal(stats[slot.textDroppedBytes], 300);
  assert.equal(socket.ended, undefined);
  assert.deepEqual(terminated, []);
});

test("a reader that reads nothing for --stall-timeout is closed, not before", (t) => {
  const { backpressure, stats, connect, pass } = bench(t, { stallTimeout: 1000 });
  const socket = connect();
  buffer(backpressure, socket, 5000);
  pass(750);
  assert.equal(socket.ended, undefined);
  pass(250);
  assert.equal(socket.ended, "hard");
  assert.equal(terminations(stats, "stalled"), 1);
  assert.equal(stats[slot.bufferedBytes], 0);
});

test("a reader that takes a byte now and then is not stalled", (t) => {
  const { backpressure, connect, pass } = bench(t, { stallTimeout: 1000 });
  const socket = connect();
  buffer(backpressure, socket, 5000);
  for (let i = 1; i <= 20; i++) {
    pass(750);
    if (i % 2 === 0) {
      drainTo(backpressure, socket, 5000 - i);
    } else {
      socket.amount = 5000 - i; // bytes left, and no event said so
    }
  }
  assert.equal(socket.ended, undefined);
});

test("more waiting bytes are not progress", (t) => {
  const { backpressure, connect, pass } = bench(t, { stallTimeout: 1000 });
  const socket = connect();
  buffer(backpressure, socket, 5000);
  pass(500);
  buffer(backpressure, socket, 6000);
  pass(500);
  assert.equal(socket.ended, "hard");
});

test("bytes that leave while another message is sent are progress", (t) => {
  const { backpressure, connect, pass } = bench(t, { stallTimeout: 1000 });
  const socket = connect();
  buffer(backpressure, socket, 5000);
  for (let i = 0; i < 20; i++) {
    pass(750);
    buffer(backpressure, socket, 5000, 1);
  }
  assert.equal(socket.ended, undefined);
  pass(1000);
  assert.equal(socket.ended, "hard");
});

test("the time for which the process was stopped does not count as stalled", (t) => {
  const { backpressure, connect, pass, freeze } = bench(t, { stallTimeout: 1000 });
  const socket = connect();
  buffer(backpressure, socket, 5000);
  pass(500);
  freeze(60_000);
  assert.equal(socket.ended, undefined);
  pass(250);
  assert.equal(socket.ended, "hard", "what had passed before still counts");
});

test("with --stall-timeout 0 no reader is stalled", (t) => {
  const { backpressure, connect, pass } = bench(t, { stallTimeout: 0 });
  const socket = connect();
  buffer(backpressure, socket, 5000);
  pass(3_600_000 / 4);
  assert.equal(socket.ended, undefined);
});

test("bytes that leave without an event are noticed within a quarter of a second", (t) => {
  const { backpressure, stats, connect, pass } = bench(t);
  const socket = connect();
  buffer(backpressure, socket, 5000);
  socket.amount = 0;
  pass(250);
  assert.equal(stats[slot.bufferedBytes], 0);
  assert.equal(stats[slot.backpressuredConnections], 0);
  assert.equal(stats[slot.backpressureDurationSum], 0.25);
});

test("a graceful close waits until every echo is sent, and then sends its code", (t) => {
  const { backpressure, stats, connect } = bench(t);
  const socket = connect();
  buffer(backpressure, socket, 5000);
  backpressure.closeGracefully(socket.ws, 1001, "drain");
  assert.equal(socket.ended, undefined);
  drainTo(backpressure, socket, 100);
  assert.equal(socket.ended, undefined);
  drainTo(backpressure, socket, 0);
  assert.equal(socket.ended, 1001);
  assert.equal(socket.reason, "going away");
  assert.equal(terminations(stats, "drain"), 1);
});

test("a connection that waits for its close frame is leaving, and no other is", (t) => {
  const { backpressure, connect } = bench(t);
  const [leaving, other] = [connect(), connect()];
  buffer(backpressure, leaving, 5000);
  assert.equal(backpressure.isLeaving(leaving.ws), false);
  backpressure.closeGracefully(leaving.ws, 1001, "lifetime");
  assert.equal(backpressure.isLeaving(leaving.ws), true);
  assert.equal(backpressure.isLeaving(other.ws), false);
  drainTo(backpressure, leaving, 0);
  assert.equal(backpressure.isLeaving(leaving.ws), false);
});

test("a graceful close with nothing waiting comes at once", (t) => {
  const { backpressure, connect } = bench(t);
  const socket = connect();
  backpressure.closeGracefully(socket.ws, 1000, "goodbye");
  assert.equal(socket.ended, 1000);
  assert.equal(socket.reason, "");
});

test("a graceful close whose last bytes leave without an event is finished by the next look", (t) => {
  const { backpressure, connect, pass } = bench(t);
  const socket = connect();
  buffer(backpressure, socket, 5000);
  backpressure.closeGracefully(socket.ws, 1001, "lifetime");
  socket.amount = 0;
  pass(250);
  assert.equal(socket.ended, 1001);
});

test("of two reasons to close a connection gracefully the first counts", (t) => {
  const { backpressure, stats, connect } = bench(t);
  const socket = connect();
  buffer(backpressure, socket, 5000);
  backpressure.closeGracefully(socket.ws, 1001, "lifetime");
  backpressure.closeGracefully(socket.ws, 1001, "drain");
  assert.equal(terminations(stats, "lifetime"), 1);
  assert.equal(terminations(stats, "drain"), 0);
});

test("a connection that is to close gracefully and stalls is closed hard", (t) => {
  const { backpressure, stats, connect, pass } = bench(t, { stallTimeout: 1000 });
  const socket = connect();
  buffer(backpressure, socket, 5000);
  backpressure.closeGracefully(socket.ws, 1001, "drain");
  pass(1000);
  assert.equal(socket.ended, "hard");
  assert.equal(terminations(stats, "stalled"), 1);
});

test("every time under pressure is observed once, with its length", (t) => {
  const { backpressure, stats, connect, pass } = bench(t);
  const socket = connect();
  buffer(backpressure, socket, 5000);
  pass(500);
  drainTo(backpressure, socket, 0);
  buffer(backpressure, socket, 5000);
  pass(250);
  socket.close();
  assert.equal(sumSlots(stats, slot.backpressureDuration, 11), 2);
  assert.equal(stats[slot.backpressureDurationSum], 0.75);
});
