import assert from "node:assert/strict";
import { test } from "node:test";
import { shellQuote, snippetsFor } from "../../../src/web/snippets/snippets.ts";

test("each snippet has its own name, a note, and the URL in the scheme that its tool takes", () => {
  const snippets = snippetsFor("ws://localhost:9998/echo");
  assert.deepEqual(
    snippets.map(({ id }) => id),
    ["browser", "node", "python", "go", "curl", "websocat", "k6", "harness"],
  );
  for (const { id, title, note, code } of snippets) {
    assert.ok(title !== "" && note !== "", id);
    assert.ok(code.includes(id === "curl" ? "http://localhost:9998/echo" : "ws://localhost:9998/echo"), id);
    assert.ok(code.endsWith("\n") && !code.includes("undefined"), id);
  }
});

test("a URL cannot break out of its quotes", () => {
  const hostile = "ws://h/echo?a=1&b=$(x)`y`\"'; rm -rf / #";
  for (const { id, code } of snippetsFor(hostile.replace(" #", ""))) {
    const line = code.split("\n").find((text) => /(ws|http):\/\/h\/echo/.test(text)) ?? assert.fail(id);
    const quoted = /'(?:[^']|'\\'')*'|"(?:[^"\\]|\\.)*"/.exec(line)?.[0] ?? assert.fail(`${id}: ${line}`);
    assert.ok(/^['"](ws|http):/.test(quoted), `${id}: ${quoted}`);
  }
  assert.equal(shellQuote("ws://localhost:9998/echo"), "ws://localhost:9998/echo");
  assert.equal(shellQuote("a&b"), "'a&b'");
  assert.equal(shellQuote("it's"), "'it'\\''s'");
});
