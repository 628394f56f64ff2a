import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browserTest as test } from "../support/chromium.ts";
import { startServer } from "../support/echo-server.ts";
import { seeText } from "./page-fixture.ts";

/** A figure of the page as a number: durations in ms, `1.5k` as 1500. */
async function figure(page: Page, selector: string): Promise<number> {
  const text = (await page.textContent(selector)) ?? "";
  const [, number = "", unit = ""] =
    /^([\d.,]+) ?(ms|s|k|M)?$/.exec(text) ?? assert.fail(`${selector}: ${text}`);
  return Number(number.replaceAll(",", "")) * ({ s: 1000, k: 1000, M: 1e6 }[unit] ?? 1);
}

test("a flood of N messages sends N, stops, and shows consistent figures", async (t, open) => {
  const server = await startServer(t);
  const { page, troubles } = await open(server.urls.page);
  await page.click("#tab-flood");
  await page.fill("#flood-amount", "3,000");
  await page.fill("#flood-size", "100");
  await page.selectOption("#flood-type", "binary");
  await page.click("#flood-start");
  await seeText(page, "#flood-note", /^Done: 3,000 of 3,000 echoed in [\d.]+ m?s\./);
  const [rate, p50, p99, max] = await Promise.all(
    ["#flood-rate", "#flood-p50", "#flood-p99", "#flood-max"].map((selector) => figure(page, selector)),
  );
  assert.equal(await page.textContent("#flood-echoes"), "3,000 of 3,000");
  assert.ok((rate ?? 0) > 0);
  // Rounding to three digits, and the histogram's 3.2 %, may put p99 a little over the exact maximum's text.
  assert.ok(
    (p50 ?? 0) > 0 && (p50 ?? 0) <= (p99 ?? 0) && (p99 ?? 0) <= (max ?? 0) * 1.01,
    `${p50} ${p99} ${max}`,
  );
  assert.equal(await page.textContent("#flood-start"), "Start");
  const counted = await server.stats();
  assert.equal(counted['echo_messages_received_total{type="binary"}'], 3000);
  assert.equal(counted['echo_received_bytes_total{type="binary"}'], 300_000);
  assert.deepEqual(troubles, []);
});

test("a flood can be stopped, and invalid plans are refused with a reason", async (t, open) => {
  const server = await startServer(t);
  const { page, troubles } = await open(server.urls.page);
  await page.click("#tab-flood");
  await page.fill("#flood-depth", "0");
  await page.fill("#flood-amount", "many");
  await page.click("#flood-start");
  await seeText(page, "#flood-problem", /Messages must be a whole number.*In flight must be a whole number/);
  await page.fill("#flood-depth", "10,000");
  await page.fill("#flood-amount", "100,000,000");
  await page.fill("#flood-size", "1,000,000");
  await page.click("#flood-start");
  await seeText(page, "#flood-problem", /keeps it under 256 MiB/);
  await page.fill("#flood-depth", "4");
  await page.fill("#flood-size", "0");
  await page.click("#flood-start");
  await seeText(page, "#flood-echoes", /[1-9]/);
  await page.click("#flood-start");
  await seeText(page, "#flood-note", /^Stopped by you after/);
  assert.deepEqual(troubles, []);
});

test("a flood that the server cuts shows the meaning of the close code", async (t, open) => {
  const server = await startServer(t, { maxPayload: 1000 });
  const { page } = await open(server.urls.page);
  await page.click("#tab-flood");
  await page.fill("#flood-size", "1,001");
  await page.click("#flood-start");
  await seeText(page, "#flood-note", /^Closed with 1006 Abnormal Closure, 16 in flight\..*--max-payload/);
});

test("an overrun that reads shows bufferedAmount grow and drain, and loses nothing", async (t, open) => {
  const server = await startServer(t);
  const { page, troubles } = await open(server.urls.page);
  await page.click("#tab-overrun");
  await page.fill("#overrun-total", "16");
  await page.click("#overrun-start");
  const outcome = await seeText(page, "#overrun-outcome", /echoes came back/);
  assert.match(
    outcome,
    /^All 256 echoes came back in .* while bufferedAmount drained from [\d.]+ [KM]iB: nothing was lost/,
  );
  assert.equal(await page.textContent("#overrun-echoed"), "256 of 256");
  assert.equal(await page.textContent("#overrun-buffered"), "0 B");
  assert.deepEqual(troubles, []);
});

test("an overrun that does not read makes the server drop echoes with --on-backpressure drop", async (t, open) => {
  const server = await startServer(t, {
    onBackpressure: "drop",
    maxPayload: "64KiB",
    maxBackpressure: "64KiB",
  });
  const { page, troubles } = await open(server.urls.page);
  await page.click("#tab-overrun");
  await page.fill("#overrun-total", "12");
  await page.check("#overrun-silent");
  await page.click("#overrun-start");
  const outcome = await seeText(page, "#overrun-outcome", /policy/);
  const [, dropped = ""] =
    /^The server dropped ([\d,]+) echoes and kept the connection/.exec(outcome) ?? assert.fail(outcome);
  assert.equal(
    (await server.stats())['echo_sends_total{result="dropped"}'],
    Number(dropped.replaceAll(",", "")),
  );
  assert.deepEqual(troubles, []);
});

test("an overrun that does not read is cut by the server with --on-backpressure close", async (t, open) => {
  const server = await startServer(t, { maxPayload: "64KiB", maxBackpressure: "64KiB" });
  const { page } = await open(server.urls.page);
  await page.click("#tab-overrun");
  await page.check("#overrun-silent");
  await page.click("#overrun-start");
  await seeText(
    page,
    "#overrun-outcome",
    /^The server cut the connection after .* \(its policy is to close\)/,
  );
  assert.equal((await server.stats())['echo_connections_terminated_total{reason="backpressure"}'], 1);
});
