import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { heldOverheadBytes, Line, type Pace } from "../../../../src/websocket/endpoints/line.ts";

interface Sent {
  readonly at: number;
  readonly text: string;
  readonly position: string;
}

const straight: Pace = {
  delayMs: 0,
  jitterMs: 0,
  bytesPerSecond: 0,
  fragmentBytes: 0,
  fragmentDelayMs: 0,
};

/** A line with a clock that the test moves. */
function bench(t: TestContext, pace: Partial<Pace>, random?: () => number) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let time = 0;
  const sent: Sent[] = [];
  const held = { messages: 0, bytes: 0 };
  const refused = new Set<string>();
  const line = new Line(
    { ...straight, ...pace },
    {
      send(piece, _isBinary, position) {
        sent.push({ at: time, text: piece.toString(), position });
        return !refused.has(piece.toString());
      },
      batch: (action) => action(),
      held(messages, bytes) {
        held.messages += messages;
        held.bytes += bytes;
      },
    },
    () => time,
    random,
  );
  return {
    line,
    sent,
    held,
    refused,
    push: (text: string, onSent?: () => void) => line.push(Buffer.from(text), false, onSent),
    pass(milliseconds: number) {
      for (let i = 0; i < milliseconds; i++) {
        time++;
        t.mock.timers.tick(1);
      }
    },
    timesOf: () => sent.map(({ text, at }) => [text, at]),
  };
}

test("without a delay a message is sent at once", (t) => {
  const { push, sent, held } = bench(t, {});
  push("now");
  assert.deepEqual(sent, [{ at: 0, text: "now", position: "whole" }]);
  assert.deepEqual(held, { messages: 0, bytes: 0 });
});

test("each message is held for the delay, and counted meanwhile", (t) => {
  const { push, pass, timesOf, held } = bench(t, { delayMs: 100 });
  push("a");
  pass(30);
  push("bc");
  assert.deepEqual(held, { messages: 2, bytes: 3 + 2 * heldOverheadBytes });
  pass(69);
  assert.deepEqual(timesOf(), []);
  pass(1);
  assert.deepEqual(timesOf(), [["a", 100]]);
  pass(30);
  assert.deepEqual(timesOf(), [
    ["a", 100],
    ["bc", 130],
  ]);
  assert.deepEqual(held, { messages: 0, bytes: 0 });
});

test("jitter makes messages earlier or later, and never changes their order", (t) => {
  const dice = [1, 0, 0.5];
  const { push, pass, timesOf } = bench(t, { delayMs: 100, jitterMs: 50 }, () => dice.shift() ?? 0);
  push("late");
  push("early");
  push("middle");
  pass(200);
  assert.deepEqual(timesOf(), [
    ["late", 150],
    ["early", 150],
    ["middle", 150],
  ]);
});

test("at a rate, a message is out when a link of that rate has carried it, and the next starts then", (t) => {
  const { push, pass, timesOf } = bench(t, { bytesPerSecond: 1000 });
  push("x".repeat(100));
  push("y".repeat(50));
  pass(200);
  assert.deepEqual(
    timesOf().map(([, at]) => at),
    [100, 150],
  );
  push("z".repeat(10));
  pass(20);
  assert.equal(timesOf()[2]?.[1], 210, "an idle link saves nothing up");
});

test("a message goes out in fragments, the rest of it last, with pauses between them", (t) => {
  const { push, pass, sent } = bench(t, { fragmentBytes: 4, fragmentDelayMs: 10 });
  push("0123456789");
  push("abcd");
  push("");
  pass(50);
  assert.deepEqual(sent, [
    { at: 0, text: "0123", position: "first" },
    { at: 10, text: "4567", position: "middle" },
    { at: 20, text: "89", position: "last" },
    { at: 20, text: "abcd", position: "whole" },
    { at: 20, text: "", position: "whole" },
  ]);
});

test("a message has at most 1,024 fragments", (t) => {
  const { push, sent } = bench(t, { fragmentBytes: 1 });
  push("x".repeat(1024));
  assert.equal(sent.length, 1024);
  push("x".repeat(100_000));
  assert.ok(sent.length <= 2048);
  assert.equal(
    sent.map(({ text }) => text.length).reduce((sum, each) => sum + each, 0),
    101_024,
  );
});

test("a flush sends everything at once, in order, fragments included", (t) => {
  const { push, pass, line, sent, held } = bench(t, {
    delayMs: 1000,
    fragmentBytes: 2,
    fragmentDelayMs: 500,
  });
  push("abcd");
  push("ef");
  pass(1001);
  line.flush();
  assert.deepEqual(
    sent.map(({ text, at }) => [text, at]),
    [
      ["ab", 1000],
      ["cd", 1001],
      ["ef", 1001],
    ],
  );
  assert.equal(held.messages, 0);
  push("gh");
  assert.equal(sent.at(-1)?.text, "gh", "what comes after a flush is not held");
});

test("messages held when the connection ends are reported, and never sent", (t) => {
  const { push, pass, line, sent, held } = bench(t, { delayMs: 100 });
  push("a");
  pass(50);
  push("bc");
  pass(60);
  assert.deepEqual(line.close(), [{ bytes: 2, isBinary: false }]);
  pass(1000);
  assert.equal(sent.length, 1);
  assert.deepEqual(held, { messages: 0, bytes: 0 });
});

test("a message refused between its fragments is dropped, and the next continues", (t) => {
  const { push, sent, refused, held } = bench(t, { fragmentBytes: 2 });
  let wasSent = false;
  refused.add("cd");
  push("abcdef", () => {
    wasSent = true;
  });
  push("gh");
  assert.deepEqual(
    sent.map(({ text }) => text),
    ["ab", "cd", "gh"],
  );
  assert.equal(wasSent, false);
  assert.equal(held.messages, 0);
});

test("a flush from the end of a message sends the rest before it returns", (t) => {
  const { push, pass, line, sent } = bench(t, { delayMs: 100 });
  let sentAtFlush: string[] = [];
  push("a", () => {
    line.flush();
    sentAtFlush = sent.map(({ text }) => text);
  });
  pass(50);
  push("b");
  push("c");
  pass(50);
  assert.deepEqual(sentAtFlush, ["a", "b", "c"]);
  pass(200);
  assert.equal(sent.length, 3);
});

test("a message may be pushed, and the line closed, from the end of another", (t) => {
  const { push, line, sent } = bench(t, {});
  push("a", () => push("b", () => void line.close()));
  assert.deepEqual(
    sent.map(({ text }) => text),
    ["a", "b"],
  );
});

test("at any pace, messages arrive whole and in order, none before its time, and no bytes stay counted", (t) => {
  const pace = fc.record({
    delayMs: fc.nat(50),
    jitterMs: fc.nat(50),
    bytesPerSecond: fc.constantFrom(0, 1000, 50_000),
    fragmentBytes: fc.nat(5),
    fragmentDelayMs: fc.nat(5),
  });
  const step = fc.record({ text: fc.string({ maxLength: 20 }), wait: fc.nat(20) });
  fc.assert(
    fc.property(pace, fc.array(step, { maxLength: 20 }), (each, steps) => {
      t.mock.timers.reset();
      const { push, pass, sent, held } = bench(t, {
        ...each,
        jitterMs: Math.min(each.jitterMs, each.delayMs),
      });
      for (const { text, wait } of steps) {
        push(text);
        pass(wait);
      }
      pass(5000);
      let message = Buffer.alloc(0);
      const whole: string[] = [];
      for (const { text, position } of sent) {
        message = Buffer.concat([message, Buffer.from(text)]);
        if (position === "whole" || position === "last") {
          whole.push("");
        }
      }
      assert.equal(whole.length, steps.length);
      assert.deepEqual(held, { messages: 0, bytes: 0 });
      const times = sent.map(({ at }) => at);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
    }),
    { numRuns: 50 },
  );
});
