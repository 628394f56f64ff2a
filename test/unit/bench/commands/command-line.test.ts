import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutSecrets } from "../../../../bench/commands/command-line.ts";

test("values of headers that are secret by their name are not kept, however they are given", () => {
  assert.deepEqual(
    withoutSecrets([
      "run",
      "-H",
      "Authorization: Bearer abc",
      "--header",
      "cookie:x=1",
      "-H",
      "X-Api-Key: k",
    ]),
    ["run", "-H", "Authorization: ***", "--header", "cookie: ***", "-H", "X-Api-Key: ***"],
  );
  assert.deepEqual(withoutSecrets(["--header=Authorization: Basic abc", "-HCookie: x=1"]), [
    "--header=Authorization: ***",
    "-HCookie: ***",
  ]);
});

test("the first message of connections is not kept, as it may be a token", () => {
  assert.deepEqual(
    withoutSecrets(["run", "--first-message", "abc", "--first-message=abc", "--first-replies", "1"]),
    ["run", "--first-message", "***", "--first-message=***", "--first-replies", "1"],
  );
});

test("credentials in a URL are not kept", () => {
  assert.deepEqual(withoutSecrets(["http", "https://user:word@example.com/a@b"]), [
    "http",
    "https://***@example.com/a@b",
  ]);
});

test("everything else is kept as it is", () => {
  const args = [
    "run",
    "ws://a:1/auth:key",
    "-H",
    "X-Trace: 7",
    "--label",
    "token: mine",
    "--threshold",
    "p99<5ms",
  ];
  assert.deepEqual(withoutSecrets(args), args);
});
