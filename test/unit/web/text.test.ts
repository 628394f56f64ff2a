import assert from "node:assert/strict";
import { test } from "node:test";
import { describeOutcome, type OverrunFacts } from "../../../src/web/flood/overrun-outcome.ts";
import { describeStatus } from "../../../src/web/server/status.ts";
import { readWhole } from "../../../src/web/ui/numbers.ts";
import { explainClose } from "../../../src/web/websocket/close-codes.ts";

test("every close code from 0 to 5000 gets a name and a sentence", () => {
  for (let code = 0; code <= 5000; code += 1) {
    const { name, sentence } = explainClose({ code, opened: true, url: "ws://host/echo" });
    assert.ok(name.length > 0 && sentence.endsWith("."), `${code}`);
  }
  assert.equal(explainClose({ code: 1009, opened: true, url: "ws://host/" }).name, "Message Too Big");
  assert.equal(explainClose({ code: 4242, opened: true, url: "ws://host/" }).name, "Private Code");
  assert.equal(explainClose({ code: 3000, opened: true, url: "ws://host/" }).name, "Registered Code");
  assert.equal(explainClose({ code: 2000, opened: true, url: "ws://host/" }).name, "Unassigned Code");
});

test("1006 means other things before the connection opened than after", () => {
  const before = explainClose({ code: 1006, opened: false, url: "wss://host/" }).sentence;
  const after = explainClose({ code: 1006, opened: true, url: "wss://host/" }).sentence;
  assert.match(before, /never opened.*certificate/);
  assert.match(after, /without a close frame.*--max-payload.*slow reader/);
  assert.match(explainClose({ code: 1006, opened: false, url: "ws://host/" }).sentence, /wss:\/\//);
});

test("a whole number is read with separators, and refused with its bounds", () => {
  const bounds = { min: 1, max: 20_000 };
  assert.deepEqual(readWhole("N", " 20,000 ", bounds), { value: 20_000 });
  assert.deepEqual(readWhole("N", "1 000", bounds), { value: 1000 });
  for (const typed of ["", "0", "20001", "-1", "1.5", "1e3", "ten"]) {
    assert.deepEqual(
      readWhole("N", typed, bounds),
      { problem: "N must be a whole number from 1 to 20,000." },
      typed,
    );
  }
});

test("an overrun's outcome says what the server did", () => {
  const facts: OverrunFacts = {
    progress: {
      waitingBytes: 0,
      peakBytes: 2 ** 20,
      sent: 100,
      echoed: 100,
      elapsedMs: 2000,
      isOver: true,
      closeCode: 1000,
    },
    messages: 100,
    unread: false,
    serverPeakBytes: undefined,
    serverDrops: undefined,
  };
  assert.match(
    describeOutcome(facts),
    /All 100 echoes came back in 2 s, while bufferedAmount drained from 1 MiB/,
  );
  const cut = {
    ...facts,
    unread: true,
    serverPeakBytes: 2 ** 24,
    progress: { ...facts.progress, closeCode: 1006, echoed: 0 },
  };
  assert.match(describeOutcome(cut), /cut the connection after 2 s.*server buffered at most 16 MiB/);
  assert.match(describeOutcome({ ...facts, unread: true, serverDrops: 7 }), /dropped 7 echoes and kept/);
  assert.match(describeOutcome({ ...facts, progress: { ...facts.progress, echoed: 3 } }), /3 of 100 echoes/);
});

test("each reason why the metrics cannot be read has a sentence", () => {
  const http = { protocol: "http:", host: "localhost:9998" };
  assert.match(describeStatus({ kind: "refused", httpStatus: 404 }, http).message, /--admin-port/);
  assert.match(describeStatus({ kind: "refused", httpStatus: 503 }, http).message, /503/);
  assert.match(describeStatus({ kind: "unreachable" }, http).message, /does not respond/);
  assert.match(
    describeStatus({ kind: "unreachable" }, { protocol: "file:", host: "" }).message,
    /another origin/,
  );
  assert.match(
    describeStatus({ kind: "unreadable", problem: "Line 3 is odd." }, http).message,
    /Line 3 is odd/,
  );
});
