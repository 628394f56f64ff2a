import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import {
  answerPage,
  chooseEncoding,
  describePage,
  type PageRequest,
  readPage,
} from "../../../src/http/page.ts";

const html = "<!doctype html><style>p{color:red}</style><p>x</p><script>1;\n2</script>";
const page = describePage(Buffer.from(html), Buffer.from("gzipped"), Buffer.from("brotli"));
const plain: PageRequest = { acceptEncoding: "", ifNoneMatch: "", host: "example.org:9998", isTls: false };

test("the encoding is the smallest that the client accepts", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", "identity"],
    ["gzip, deflate, br, zstd", "br"],
    ["gzip", "gzip"],
    ["br;q=0, gzip;q=0.5", "gzip"],
    ["BR", "br"],
    ["*", "br"],
    ["br;q=0, *;q=0.1", "gzip"],
    ["gzip;q=0, br;q=0", "identity"],
    ["deflate", "identity"],
    [";;;,,=", "identity"],
  ];
  for (const [header, encoding] of cases) {
    assert.equal(chooseEncoding(header), encoding, header);
  }
});

test("each encoding has its body and its own strong ETag, and is cached only with asking", () => {
  const etags = (["", "gzip", "br"] as const).map((acceptEncoding) => {
    const { status, headers, body } = answerPage(page, { ...plain, acceptEncoding });
    assert.equal(status, 200);
    assert.equal(String(body), { "": html, gzip: "gzipped", br: "brotli" }[acceptEncoding]);
    assert.equal(headers?.["Content-Encoding"], acceptEncoding || undefined);
    assert.equal(headers?.["Cache-Control"], "no-cache");
    assert.equal(headers?.["Vary"], "Accept-Encoding");
    assert.match(headers?.["ETag"] ?? "", /^"[\w-]+"$/);
    return headers?.["ETag"];
  });
  assert.equal(new Set(etags).size, 3);
});

test("a client that has the page gets 304 with the same validators, and the length that it would have had", () => {
  const { headers } = answerPage(page, plain);
  const etag = headers?.["ETag"] ?? "";
  for (const ifNoneMatch of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
    const reply = answerPage(page, { ...plain, ifNoneMatch });
    assert.deepEqual(
      [reply.status, reply.body, reply.headers?.["ETag"]],
      [304, page.identity, etag],
      ifNoneMatch,
    );
  }
  assert.equal(answerPage(page, { ...plain, ifNoneMatch: '"other"' }).status, 200);
  assert.equal(answerPage(page, { ...plain, ifNoneMatch: etag, acceptEncoding: "br" }).status, 200);
});

test("the policy allows this script and this style by hash, and nothing inline besides", () => {
  const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const policy = answerPage(page, plain).headers?.["Content-Security-Policy"] ?? "";
  assert.ok(policy.startsWith("default-src 'none'; "));
  assert.ok(policy.includes(`script-src ${hash("1;\n2")};`));
  assert.ok(policy.includes(`style-src ${hash("p{color:red}")};`));
  assert.doesNotMatch(policy, /unsafe|\*|https?:|data:(?!;)/);
});

test("the page is isolated only where browsers support it", () => {
  const isolated = (request: Partial<PageRequest>) =>
    "Cross-Origin-Opener-Policy" in (answerPage(page, { ...plain, ...request }).headers ?? {});
  for (const host of ["localhost", "localhost:9998", "127.0.0.1:80", "127.8.8.8", "[::1]:9998"]) {
    assert.ok(isolated({ host }), host);
  }
  for (const host of ["", "192.168.0.1", "localhost.evil.org", "example.org:9998"]) {
    assert.ok(!isolated({ host }), host);
  }
  assert.ok(isolated({ isTls: true }));
});

test("a missing build of the page is an error that says what to do", () => {
  assert.throws(() => readPage(pathToFileURL("/nowhere/page.html")), /npm run build/);
});
