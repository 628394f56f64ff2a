import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import { startServer } from "../support/echo-server.ts";

test("GET / serves one document that needs nothing else, small and compressed", async (t) => {
  const server = await startServer(t);
  const response = await fetch(server.urls.page ?? "", { headers: { "accept-encoding": "br" } });
  const html = await response.text();
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-encoding"), "br");
  assert.ok(Number(response.headers.get("content-length")) < 60_000);
  assert.ok(Buffer.byteLength(html) < 200 * 1024);
  assert.equal(Buffer.byteLength(html), statSync("dist/web/page.html").size);
  assert.doesNotMatch(
    html,
    /<(script|img|iframe)[^>]+src=|<link[^>]+href="(?!data:)|@import|(?<![.\w])url\(/,
  );
  assert.doesNotMatch(html, /<!-- inline/, "the build filled the page in");
});

test("GET / answers 304 to a client with a current copy, and HEAD with the length", async (t) => {
  const server = await startServer(t);
  const first = await fetch(server.urls.page ?? "", { headers: { "accept-encoding": "gzip" } });
  const length = first.headers.get("content-length");
  await first.arrayBuffer();
  const etag = first.headers.get("etag") ?? "";
  const again = await fetch(server.urls.page ?? "", {
    headers: { "accept-encoding": "gzip", "if-none-match": etag },
  });
  assert.equal(again.status, 304);
  assert.equal(again.headers.get("etag"), etag);
  assert.equal(await again.text(), "");
  for (const ifNoneMatch of ["", etag]) {
    const head = await fetch(server.urls.page ?? "", {
      method: "HEAD",
      headers: { "accept-encoding": "gzip", "if-none-match": ifNoneMatch },
    });
    assert.equal(head.status, ifNoneMatch === "" ? 200 : 304);
    if (head.status === 200) {
      assert.equal(head.headers.get("content-length"), length);
    }
  }
  assert.equal((await server.stats())['echo_http_requests_total{route="/",code="304"}'], 2);
});

test("--no-console turns the page off", async (t) => {
  const server = await startServer(t, { console: false });
  const response = await fetch(`http://127.0.0.1:${server.port}/`);
  assert.equal(response.status, 404);
  assert.doesNotMatch(await response.text(), /that tests the server from a browser/);
});
