// What connections can do, on real sockets, against servers that each do one thing.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { GroupFigures } from "../../../bench/measure/figures.ts";
import type { SessionOutcome } from "../../../bench/measure/session.ts";
import { constant } from "../../../bench/scenario/curve.ts";
import type { Echo, Fanout, Traffic } from "../../../bench/scenario/traffic.ts";
import { groupOf, runHere, sessionWith, startServer } from "../../support/real-session.ts";

const messages = {
  payloads: [{ content: new Uint8Array(100), weight: 1 }],
  type: "binary",
  verify: "length",
} as const;

function figuresOf(outcome: SessionOutcome, group: string): GroupFigures {
  const figures = outcome.steps[0]?.groups[group];
  assert.ok(figures !== undefined, JSON.stringify(outcome.endedEarly));
  return figures;
}

describe("echoes that are matched by their stamp", () => {
  const stamped: Echo = { kind: "echo", loop: { kind: "closed", depth: 4 }, messages, match: "stamp" };

  for (const engine of ["raw", "ws"] as const) {
    test(`may come in any order, and inside something else (${engine})`, async (t) => {
      const url = await startServer(t, (socket) => {
        const held: Buffer[] = [];
        const answer = (): void => {
          for (const each of held.splice(0).reverse()) {
            socket.send(Buffer.concat([Buffer.from('{"echo":"'), each, Buffer.from('"}')]));
          }
        };
        socket.on("message", (data: Buffer) => {
          held.push(data);
          if (held.length === 2) {
            answer();
          } else {
            setTimeout(answer, 50); // The last message has no second one.
          }
        });
      });
      const scenario = sessionWith(url, [groupOf("all", 3, stamped)]);
      const outcome = await runHere({ ...scenario, target: { ...scenario.target, engine } });
      const { counters } = figuresOf(outcome, "all");
      assert.ok(counters.answered > 1, `${counters.answered}`);
      assert.deepEqual([counters.sent, counters.lost], [counters.answered, 0]);
      assert.deepEqual(outcome.errors, {});
    });
  }

  test("are lost one by one, and a reply without a message is an error", async (t) => {
    const url = await startServer(t, (socket) => {
      let count = 0;
      socket.on("message", (data: Buffer) => {
        count += 1;
        if (count === 7) {
          socket.send("what is this?");
        } else {
          socket.send(data);
        }
      });
    });
    const loop: Echo["loop"] = { kind: "open", rate: constant(100), arrivals: "even" };
    const scenario = sessionWith(url, [groupOf("all", 1, { ...stamped, loop })]);
    const outcome = await runHere({ ...scenario, target: { ...scenario.target, timeoutMs: 300 } });
    const { counters } = figuresOf(outcome, "all");
    assert.deepEqual([counters.sent, counters.answered, counters.lost], [30, 29, 1]);
    assert.deepEqual(Object.keys(outcome.errors), ["unasked-message"]);
  });
});

describe("fan-out", () => {
  const fanout: Fanout = {
    kind: "fanout",
    publishers: 2,
    rate: constant(200),
    arrivals: "even",
    receivers: "all",
    payloadBytes: 100,
    type: "text",
  };

  test("times each delivery from when its message was due, and counts all of them", async (t) => {
    const url = await startServer(t, (socket, all) => {
      socket.on("message", (data: Buffer) => {
        for (const each of all) {
          each.send(data.toString());
        }
      });
    });
    const outcome = await runHere(sessionWith(url, [groupOf("all", 5, fanout)]));
    const { counters, distributions } = figuresOf(outcome, "all");
    assert.deepEqual([counters.sent, counters.answered, counters.lost], [60, 300, 0]);
    assert.ok(counters.received <= counters.answered);
    assert.ok((distributions.latency?.latencyUs.min ?? 0) > 0);
    assert.ok(distributions.service !== null && distributions.lag !== null);
    assert.deepEqual(outcome.errors, {});
  });

  test("notices a delivery that is missing, in the middle and at the end", async (t) => {
    const url = await startServer(t, (socket, all) => {
      let count = 0;
      socket.on("message", (data: Buffer) => {
        count += 1;
        const [spared] = [...all];
        for (const each of all) {
          // The first connection misses the tenth message of each publisher, and all from the 26th on but the last,
          // which has no time and says that it is the last.
          const isEnd = data.toString().includes("0".repeat(28));
          if (each !== spared || isEnd || (count !== 10 && count <= 25)) {
            each.send(data.toString());
          }
        }
      });
    });
    const outcome = await runHere(sessionWith(url, [groupOf("all", 5, fanout)]));
    const { counters } = figuresOf(outcome, "all");
    assert.deepEqual([counters.sent, counters.answered, counters.lost], [60, 288, 12]);
  });
});

describe("listening", () => {
  test("counts what the target sends, after an initial request", async (t) => {
    const url = await startServer(t, (socket) => {
      socket.once("message", (data: Buffer) => {
        assert.equal(data.toString(), "subscribe");
        const timer = setInterval(() => socket.send("tick"), 20);
        socket.once("close", () => clearInterval(timer));
      });
    });
    const listen: Traffic = { kind: "listen", onOpen: [Buffer.from("subscribe")], type: "text" };
    const outcome = await runHere(sessionWith(url, [groupOf("all", 3, listen)], 1000));
    const { counters, distributions } = figuresOf(outcome, "all");
    assert.ok(counters.received >= 6, `${counters.received}`);
    assert.equal(counters.receivedBytes, 4 * counters.received);
    assert.ok((distributions.between?.latencyUs.max ?? 0) > 1000);
    assert.equal(outcome.connect["all"]?.counters.sent, 3);
  });
});

describe("a script", () => {
  const text = (content: string) => ({ kind: "send", content: Buffer.from(content) }) as const;
  const expecting = (content: string) => ({ kind: "expect", contains: Buffer.from(content) }) as const;

  test("sends, expects, pauses and repeats, and times what it expects", async (t) => {
    const seen: string[] = [];
    const url = await startServer(t, (socket) => {
      socket.send("welcome");
      socket.on("message", (data: Buffer) => {
        seen.push(data.toString());
        socket.send("noise");
        socket.send(`answer to ${data.toString()}`);
      });
    });
    const script: Traffic = {
      kind: "script",
      type: "text",
      steps: [
        text("login"),
        expecting("answer to login"),
        {
          kind: "repeat",
          times: 2,
          steps: [text("ask"), expecting("answer to ask"), { kind: "think", ms: 5, isExponential: false }],
        },
      ],
    };
    const outcome = await runHere(sessionWith(url, [groupOf("all", 1, script)], 1000));
    const { counters } = figuresOf(outcome, "all");
    assert.deepEqual(seen.slice(0, 4), ["login", "ask", "ask", "login"]);
    assert.ok(counters.answered >= 1, `${counters.answered}`);
    assert.deepEqual([counters.sent, counters.lost], [counters.answered, 0]);
    assert.deepEqual(outcome.errors, {});
  });

  test("counts an expectation that is not met, and begins again", async (t) => {
    const url = await startServer(t, (socket) => {
      socket.on("message", () => socket.send("no"));
    });
    const steps = [text("ask"), expecting("yes")];
    const scenario = sessionWith(url, [groupOf("all", 1, { kind: "script", type: "text", steps })]);
    const outcome = await runHere({ ...scenario, target: { ...scenario.target, timeoutMs: 100 } });
    const { counters } = figuresOf(outcome, "all");
    assert.ok(counters.lost >= 1 && counters.answered === 0, JSON.stringify(counters));
    assert.ok(outcome.errors["expectation-timeout"] !== undefined);
  });
});

describe("a slow reader", () => {
  const read = (bytesPerSecond: number): Traffic => ({
    kind: "read",
    bytesPerSecond,
    rate: constant(100),
    messages: { ...messages, payloads: [{ content: new Uint8Array(10_000), weight: 1 }] },
  });

  test("reads no faster than configured, while others are served", async (t) => {
    const url = await startServer(t, (socket) => {
      socket.on("message", (data: Buffer) => socket.send(data));
    });
    const groups = [
      groupOf("slow", 1, read(20_000)),
      groupOf("stuck", 1, read(0)),
      groupOf("quick", 1, { kind: "echo", loop: { kind: "closed", depth: 1 }, messages, match: "fifo" }),
    ];
    const scenario = sessionWith(url, groups, 1500);
    const outcome = await runHere({ ...scenario, target: { ...scenario.target, timeoutMs: 200 } });
    const [slow, stuck, quick] = ["slow", "stuck", "quick"].map((group) => figuresOf(outcome, group));
    assert.ok((slow?.counters.wireReceived ?? 1e9) < 100_000, `${slow?.counters.wireReceived}`);
    assert.ok((stuck?.counters.wireReceived ?? 1e9) < 10, `${stuck?.counters.wireReceived}`);
    assert.ok((stuck?.counters.wireSent ?? 0) > 10_000, `${stuck?.counters.wireSent}`);
    assert.ok((quick?.counters.answered ?? 0) > 0);
  });

  test("notices that the target has closed its connection", async (t) => {
    const url = await startServer(t, (socket) => {
      socket.once("message", () => {
        socket.send(new Uint8Array(100_000));
        setTimeout(() => socket.terminate(), 50);
      });
    });
    const outcome = await runHere(sessionWith(url, [groupOf("stuck", 1, read(0))], 2500));
    assert.equal(figuresOf(outcome, "stuck").counters.closed, 1);
  });
});

test("pings are answered by any server", async (t) => {
  const url = await startServer(t, () => undefined);
  for (const engine of ["raw", "ws"] as const) {
    const scenario = sessionWith(url, [groupOf("all", 3, { kind: "ping", intervalMs: 50 })], 1000);
    const outcome = await runHere({ ...scenario, target: { ...scenario.target, engine } });
    const { counters, distributions } = figuresOf(outcome, "all");
    assert.ok(counters.pings >= 3, `${counters.pings}`);
    assert.deepEqual([counters.pongs, counters.lostPings], [counters.pings, 0]);
    assert.ok((distributions.ping?.latencyUs.min ?? 0) > 0);
  }
});
