import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createHistory } from "../../../src/web/console/history.ts";
import { hexDump, parseHex, toHex } from "../../../src/web/websocket/hex.ts";
import {
  composePayload,
  payloadBytes,
  prettyJson,
  syntheticPayload,
} from "../../../src/web/websocket/payload.ts";
import { defaultUrl, metricsUrl, readClose, readTarget } from "../../../src/web/websocket/target.ts";

const http = { protocol: "http:", host: "localhost:9998" };

test("hexadecimal text is read back", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.constantFrom(" ", "", ",", ":", "-", "\n", ", "), (bytes, separator) => {
      const typed = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(separator);
      const read = parseHex(typed);
      assert.ok("bytes" in read);
      assert.deepEqual([...read.bytes], [...bytes]);
    }),
  );
  assert.deepEqual(parseHex("0x48, 0X65"), { bytes: Uint8Array.of(0x48, 0x65) });
  assert.deepEqual(parseHex("  "), { bytes: new Uint8Array(0) });
});

test("invalid hexadecimal text names the digit or the group", () => {
  assert.deepEqual(parseHex("48 6g"), { problem: '"g" is not a hexadecimal digit (0-9, a-f).' });
  assert.match(JSON.stringify(parseHex("48 6 6c")), /\\"6\\" has an odd number of digits.*for example 06/);
});

test("the hex dump has sixteen bytes a line, with offset and text, and stops at its limit", () => {
  const bytes = Uint8Array.from({ length: 40 }, (_, at) => at + 0x41);
  assert.deepEqual(hexDump(bytes, 18).split("\n"), [
    "00000000  41 42 43 44 45 46 47 48  49 4a 4b 4c 4d 4e 4f 50  ABCDEFGHIJKLMNOP",
    `00000010  51 52${" ".repeat(18)}  ${" ".repeat(23)}  QR`,
  ]);
  assert.equal(hexDump(new Uint8Array(0)), "");
  assert.equal(toHex(Uint8Array.of(0, 255, 16), 2), "00 ff");
});

test("the composer's text is sent as it is, JSON only when it is JSON, hex as bytes", () => {
  assert.deepEqual(composePayload("text", " {not json "), { data: " {not json " });
  assert.deepEqual(composePayload("json", '{"a": 1}'), { data: '{"a": 1}' });
  assert.match(JSON.stringify(composePayload("json", "{oops}")), /Not JSON: /);
  assert.match(JSON.stringify(composePayload("json", " ")), /JSON needs a value/);
  assert.deepEqual(composePayload("binary", "ff"), { data: Uint8Array.of(255) });
  assert.ok("problem" in composePayload("binary", "zz"));
});

test("a payload's size counts UTF-8 bytes", () => {
  assert.equal(payloadBytes("Grüße 🌍"), 12);
  assert.equal(payloadBytes(new Uint8Array(7)), 7);
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 5000 }),
      fc.constantFrom("text" as const, "binary" as const),
      (length, type) => {
        const payload = syntheticPayload(type, length);
        assert.equal(payloadBytes(payload), length);
        assert.equal(typeof payload === "string", type === "text");
      },
    ),
  );
});

test("only objects and arrays are laid out as JSON", () => {
  assert.equal(prettyJson('{"a":[1]}'), '{\n  "a": [\n    1\n  ]\n}');
  for (const text of ["42", "true", "{broken", "hello"]) {
    assert.equal(prettyJson(text), undefined);
  }
});

test("the URL defaults to this server's echo, and from a file to this machine's", () => {
  assert.equal(defaultUrl(http), "ws://localhost:9998/echo");
  assert.equal(defaultUrl({ protocol: "https:", host: "echo.example" }), "wss://echo.example/echo");
  assert.equal(defaultUrl({ protocol: "file:", host: "" }), "ws://localhost:9998/echo");
  assert.equal(metricsUrl(http, "ws://elsewhere/echo"), "/metrics");
  assert.equal(metricsUrl({ protocol: "file:", host: "" }, "wss://h:1/echo?x"), "https://h:1/metrics");
});

test("a target is checked with a sentence for each mistake", () => {
  assert.deepEqual(readTarget(http, " http://h:1/echo ", "chat, superchat"), {
    url: "ws://h:1/echo",
    protocols: ["chat", "superchat"],
  });
  const mistakes: readonly (readonly [string, string, RegExp])[] = [
    ["nonsense", "", /not a URL/],
    ["ftp://h/", "", /starts with ws:\/\/ or wss:\/\//],
    ["ws://h/#x", "", /no fragment/],
    ["ws://h/", "a b(c", /"b\(c" is not a sub-protocol name/],
    ["ws://h/", "a,a", /"a" is listed twice/],
  ];
  for (const [url, protocols, words] of mistakes) {
    assert.match(JSON.stringify(readTarget(http, url, protocols)).replaceAll('\\"', '"'), words);
  }
  const secure = { protocol: "https:", host: "h" };
  assert.match(JSON.stringify(readTarget(secure, "ws://h/echo", "")), /mixed content/);
  assert.ok("url" in readTarget(secure, "ws://localhost:9998/echo", ""));
});

test("accepts only codes and reasons that a script may close with", () => {
  for (const code of ["1000", "3000", "4999"]) {
    assert.deepEqual(readClose(code, ""), { code: Number(code) });
  }
  for (const code of ["1001", "1006", "2999", "5000", "", "abc", "10000"]) {
    assert.ok("problem" in readClose(code, ""), code);
  }
  assert.ok("code" in readClose("1000", "x".repeat(123)));
  assert.match(JSON.stringify(readClose("1000", "ü".repeat(62))), /124 bytes/);
});

test("the history keeps each draft once, newest first, and can be stepped through", () => {
  const history = createHistory(3);
  for (const typed of ["a", "b", "a", "c", "d"]) {
    history.remember({ mode: "text", typed });
  }
  assert.deepEqual(
    history.drafts().map(({ typed }) => typed),
    ["d", "c", "a"],
  );
  assert.equal(history.step(1)?.typed, "d");
  assert.equal(history.step(1)?.typed, "c");
  assert.equal(history.step(-1)?.typed, "d");
  assert.equal(history.step(-1), undefined);
  assert.equal(history.step(1)?.typed, "c");
});
