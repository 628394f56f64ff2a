import assert from "node:assert/strict";
import { test } from "node:test";
import type { ScrapeRequest } from "../../../src/metrics/scrape.ts";
import { shareScrapes } from "../../../src/metrics/shared-scrapes.ts";

const text: ScrapeRequest = { accept: "*/*", acceptEncoding: "identity" };
const gzip: ScrapeRequest = { accept: "text/plain", acceptEncoding: "gzip, br" };

function countRenders(delayMs = 0) {
  let renders = 0;
  const shared = shareScrapes(async () => {
    renders++;
    const body = String(renders);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    return { headers: {}, body };
  });
  return { shared, renders: () => renders };
}

test("thousands of concurrent scrapes share a few renderings, and one copy of the page", async () => {
  const { shared, renders } = countRenders();
  const pages = await Promise.all(Array.from({ length: 4000 }, () => shared(text)));
  assert.ok(renders() <= 2, `${renders()} renderings`);
  assert.ok(new Set(pages.map(({ body }) => body)).size <= 2);
});

test("a page is never older than the request for it", async () => {
  const { shared, renders } = countRenders(20);
  const first = shared(text);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const before = renders();
  const second = await shared(text);
  assert.equal((await first).body.toString(), String(before));
  assert.equal(second.body.toString(), String(before + 1));
});

test("formats and encodings are rendered apart, however they are asked for", async () => {
  const { shared, renders } = countRenders();
  const openmetrics = { accept: "application/openmetrics-text", acceptEncoding: "" };
  await Promise.all([text, { ...text, acceptEncoding: "" }, gzip, openmetrics].map(shared));
  assert.equal(renders(), 3);
});

test("a rendering that fails fails for those who share it, and the next is tried", async () => {
  let renders = 0;
  const shared = shareScrapes(() => {
    renders++;
    return renders === 1
      ? Promise.reject(new Error("no answer"))
      : Promise.resolve({ headers: {}, body: "ok" });
  });
  await assert.rejects(shared(text), /no answer/);
  assert.equal((await shared(text)).body.toString(), "ok");
});
