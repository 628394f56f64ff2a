import assert from "node:assert/strict";
import { browserTest as test } from "../support/chromium.ts";
import { startServer } from "../support/echo-server.ts";
import { waitUntil } from "../support/wait.ts";
import { logRows, seeReadyState, seeText } from "./page-fixture.ts";

test("one click opens, sends, receives and closes", async (t, open) => {
  const server = await startServer(t);
  const { page, troubles } = await open(server.urls.page);
  assert.equal(await page.inputValue("#url"), server.urls.echo);
  await page.click("#run");
  await page.locator(".entry.close").waitFor();
  const rows = await logRows(page);
  assert.equal(rows.length, 4);
  assert.match(rows[0] ?? "", /open\s+Connected/);
  assert.match(rows[1] ?? "", /sent\s+Hello from the browser\s+text\s+22 B/);
  assert.match(rows[2] ?? "", /message\s+Hello from the browser\s+[\d.]+ m?s\s+text\s+22 B/);
  assert.match(rows[3] ?? "", /close\s+1000 Normal Closure, reason “done”/);
  assert.deepEqual(troubles, []);
});

test("echoes each type of message, and closes with the requested code and reason", async (t, open) => {
  const server = await startServer(t, { subprotocols: "chat,superchat" });
  const { page, troubles } = await open(server.urls.page);
  await page.click("#options summary");
  await page.fill("#subprotocols", "other, superchat");
  await page.click("#connect");
  await seeReadyState(page, 1);
  await seeText(page, "#protocol", /^superchat$/);

  await page.fill("#message", "Grüße 🌍");
  await page.press("#message", "Control+Enter");
  await page.check('input[value="json"]');
  await page.fill("#message", '{"a": [1, 2]}');
  await page.click("#send");
  await page.check('input[value="binary"]');
  await page.fill("#message", "00 ff 7f");
  await page.click("#send");
  await page.setInputFiles("#file", {
    name: "ramp.bin",
    mimeType: "application/octet-stream",
    buffer: Buffer.alloc(300_000, 7),
  });
  await seeText(page, "#message-note", /^293 KiB, binary$/);
  await page.click("#send");
  await page.locator(".entry.message").nth(3).waitFor();

  const echoes = (await logRows(page)).filter((row) => /message/.test(row));
  assert.match(echoes[0] ?? "", /Grüße 🌍[\s\S]*text\s+12 B/);
  assert.match(echoes[1] ?? "", /\{"a": \[1, 2\]\}[\s\S]*text\s+13 B/);
  assert.match(echoes[2] ?? "", /00 ff 7f[\s\S]*binary\s+3 B/);
  assert.match(echoes[3] ?? "", /07 07 [\s\S]*…[\s\S]*binary\s+293 KiB/);
  for (const echo of echoes) {
    assert.match(echo, /[\d.]+ m?s/, "shows the round-trip time of each echo");
  }

  await page.fill("#close-code", "4001");
  await page.fill("#close-reason", "enough");
  await page.click("#connect");
  await seeReadyState(page, 3);
  // readyState changes a moment before the event comes.
  await page.locator(".entry.close").waitFor();
  assert.match((await logRows(page)).at(-1) ?? "", /4001 Private Code, reason “enough”/);
  const counted = await server.stats();
  assert.equal(counted['echo_messages_received_total{type="text"}'], 2);
  assert.equal(counted['echo_messages_received_total{type="binary"}'], 2);
  assert.equal(counted['echo_connections_closed_total{code="4xxx"}'], 1);
  assert.deepEqual(troubles, []);
});

test("refuses invalid messages and close codes with a reason", async (t, open) => {
  const server = await startServer(t);
  const { page, troubles } = await open(server.urls.page);
  await page.check('input[value="json"]');
  await page.fill("#message", "{oops");
  await seeText(page, "#message-note", /^Not JSON: /);
  assert.ok(await page.isDisabled("#send"));
  await page.check('input[value="binary"]');
  await page.fill("#message", "4g");
  await seeText(page, "#message-note", /"g" is not a hexadecimal digit/);
  await page.press("#message", "Control+Enter");
  await page.check('input[value="text"]');
  assert.equal(await page.inputValue("#message"), "Hello from the browser", "each kind keeps its own draft");

  await page.fill("#url", "ftp://nowhere");
  await page.click("#connect");
  await seeText(page, "#url-problem", /starts with ws:\/\//);
  await page.fill("#url", server.urls.echo);
  await page.click("#connect");
  await seeReadyState(page, 1);
  await page.click("#options summary");
  await page.fill("#close-code", "1006");
  await page.click("#connect");
  await seeText(page, "#url-problem", /1000, or with 3000 to 4999/);
  await seeReadyState(page, 1);
  assert.equal((await server.stats())['echo_messages_received_total{type="text"}'], 0);
  assert.deepEqual(troubles, []);
});

test("the log can be opened, filtered, paused, downloaded and cleared", async (t, open) => {
  const server = await startServer(t);
  const { page, troubles } = await open(server.urls.page, { acceptDownloads: true });
  await page.check('input[value="binary"]');
  await page.setInputFiles("#file", {
    name: "big.bin",
    mimeType: "application/octet-stream",
    buffer: Buffer.alloc(100_000, "A"),
  });
  await seeText(page, "#message-note", /97\.7 KiB/);
  await page.click("#send");
  await page.locator(".entry.message summary").click();
  // Drawn once it is open.
  const body = await seeText(page, ".entry.message .body", /Only the first 4 KiB of 97\.7 KiB are shown/);
  assert.match(body, /00000000 {2}41 41 41 41 41 41 41 41 {2}41 .* AAAAAAAAAAAAAAAA$/m);
  assert.ok(!body.includes("00001000"), "no more than 4 KiB is drawn");

  await page.selectOption("#filter-kind", "lifecycle");
  assert.deepEqual((await logRows(page)).length, 1);
  await page.selectOption("#filter-kind", "all");
  await page.fill("#filter", "nothing like this");
  await page.locator("#log-nothing").waitFor();
  await page.fill("#filter", "");

  await page.click("#log-pause");
  await page.click("#send");
  await seeText(page, "#log-pause", /^Resume \(2\)$/);
  assert.equal((await logRows(page)).length, 3);
  await page.click("#log-pause");
  await waitUntil(async () => (await logRows(page)).length === 5, "the paused rows");

  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#log-download")]);
  assert.match(download.suggestedFilename(), /^uws-echo-.*\.jsonl$/);
  await page.click("#log-clear");
  await page.locator("#log-empty").waitFor();
  assert.deepEqual(troubles, []);
});

test("repeats at an interval until stopped, and restores a message from the history", async (t, open) => {
  const server = await startServer(t);
  const { page, troubles } = await open(server.urls.page);
  await page.fill("#message", "again");
  await page.fill("#repeat-ms", "20");
  await page.click("#repeat");
  await page.locator(".entry.message").nth(4).waitFor();
  await page.click("#repeat");
  assert.equal(await page.getAttribute("#repeat", "aria-pressed"), "false");

  await page.fill("#message", "another");
  await page.press("#message", "Alt+ArrowUp");
  assert.equal(await page.inputValue("#message"), "again");
  await page.fill("#message", "");
  await page.click("#history summary");
  await page.click("#history-list .draft");
  assert.equal(await page.inputValue("#message"), "again");
  assert.deepEqual(troubles, []);
});
