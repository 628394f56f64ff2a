import assert from "node:assert/strict";
import { browserTest } from "../support/chromium.ts";
import { startServer } from "../support/echo-server.ts";
import { waitUntil } from "../support/wait.ts";
import { logRows, seeReadyState, seeText } from "./page-fixture.ts";

browserTest("an open row scrolls into view, and the log shows when it stops following", async (t, open) => {
  const server = await startServer(t);
  const { page, troubles } = await open(server.urls.page, { viewport: { width: 1280, height: 800 } });
  for (let at = 0; at < 15; at += 1) {
    await page.click("#send");
    await page.locator(".entry.message").nth(at).waitFor();
  }
  const last = page.locator(".entry.message").last();
  await last.locator("summary").click();
  const log = await page.locator("#log").boundingBox();
  await waitUntil(async () => {
    const body = await last.locator(".body pre").boundingBox();
    return log !== null && body !== null && body.y + body.height <= log.y + log.height + 1;
  }, "the opened body to be in view");

  await page.locator(".entry").first().scrollIntoViewIfNeeded();
  await page.locator("#log-jump").waitFor();
  await page.click("#send");
  await page.locator(".entry.message").nth(15).waitFor();
  await page.locator("#log-jump").waitFor({ state: "hidden" });
  const end =
    "(() => { const { scrollHeight, scrollTop, clientHeight } = document.getElementById('log'); return scrollHeight - scrollTop - clientHeight; })()";
  await waitUntil(async () => Number(await page.evaluate(end)) < 2, "the log to follow one's own message");

  await page.locator(".entry").first().scrollIntoViewIfNeeded();
  await page.locator("#log-jump").waitFor();
  const bottom = await page.locator("#log").boundingBox();
  const button = await page.locator("#log-jump").boundingBox();
  assert.ok(bottom !== null && button !== null && button.y >= bottom.y + bottom.height, "it covers no row");
  await page.click("#log-jump");
  await page.locator("#log-jump").waitFor({ state: "hidden" });
  assert.deepEqual(troubles, []);
});

browserTest("repeating a message does not take the reader away from older rows", async (t, open) => {
  const server = await startServer(t);
  const { page } = await open(server.urls.page, { viewport: { width: 1280, height: 800 } });
  await page.fill("#repeat-ms", "20");
  await page.click("#repeat");
  await page.locator(".entry.message").nth(25).waitFor();
  await page.locator(".entry").first().scrollIntoViewIfNeeded();
  await page.locator("#log-jump").waitFor();
  await page.locator(".entry.message").nth(45).waitFor();
  assert.ok(Number(await page.evaluate("document.getElementById('log').scrollTop")) < 30);
  assert.ok(await page.locator("#log-jump").isVisible());
});

browserTest("a message can be viewed as text, hex and base64, edited, and sent again", async (t, open) => {
  const server = await startServer(t);
  const { page, troubles } = await open(server.urls.page);
  await page.fill("#message", '{"a":1}');
  await page.click("#send");
  const row = page.locator(".entry.message").first();
  await row.locator("summary").click();
  await seeText(page, ".entry.message pre", /^\{\n {2}"a": 1\n\}$/);
  await row.getByRole("button", { name: "Hex" }).click();
  await seeText(page, ".entry.message pre", /^00000000 {2}7b 22 61 22/);
  await row.getByRole("button", { name: "Base64" }).click();
  await seeText(page, ".entry.message pre", /^eyJhIjoxfQ==$/);
  await page.fill("#message", "");
  await row.getByRole("button", { name: "Edit" }).click();
  assert.equal(await page.inputValue("#message"), '{"a":1}');
  await row.getByRole("button", { name: "Send again" }).click();
  await page.locator(".entry.message").nth(1).waitFor();
  await seeText(page, "#latency", /^p50 .* max /);
  assert.deepEqual(troubles, []);
});

browserTest("expands variables for each sent message", async (t, open) => {
  const server = await startServer(t);
  const { page } = await open(server.urls.page);
  await page.fill("#message", "{{counter}} {{counter}} {{uuid}} {{other}}");
  await page.click("#send");
  await page.locator(".entry.message").first().waitFor();
  await page.click("#send");
  await page.locator(".entry.message").nth(1).waitFor();
  const rows = (await logRows(page)).filter((row) => row.includes("message"));
  const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
  assert.match(rows[0] ?? "", new RegExp(`1 1 ${uuid} \\{\\{other\\}\\}`));
  assert.match(rows[1] ?? "", new RegExp(`2 2 ${uuid} \\{\\{other\\}\\}`));
});

browserTest(
  "a close entry says who closed, and names a message over the limit as the cause",
  async (t, open) => {
    const server = await startServer(t, { maxPayload: "1KiB", goodbye: true });
    const { page } = await open(server.urls.page);
    await seeText(page, "#server-status", /^Live$/);
    await page.click("#connect");
    await seeReadyState(page, 1);
    await page.click("#connect");
    await seeReadyState(page, 3);
    await seeText(page, ".entry.close .why", /^Closed by you\./);
    await page.fill("#message", "Goodbye");
    await page.click("#send");
    await page.locator(".entry.close").nth(1).waitFor();
    assert.match((await logRows(page)).at(-1) ?? "", /Closed by the server\./);
    await page.fill("#message", "x".repeat(2000));
    await page.click("#send");
    await page.locator(".entry.close").nth(2).waitFor();
    assert.match(
      (await logRows(page)).at(-1) ?? "",
      /2,000 bytes was over its limit --max-payload of 1,024 bytes/,
    );
  },
);

browserTest("a planned attempt to reconnect is in view and can be cancelled", async (t, open) => {
  const server = await startServer(t);
  const { page } = await open(server.urls.page);
  await page.fill("#url", server.urls.echo.replace("/echo", "/nothing"));
  await page.click("#options summary");
  await page.check("#reconnect");
  await page.click("#connect");
  await seeText(page, "#state-pill", /^Reconnecting$/);
  await seeText(page, "#reconnect-in", /^Trying again in \d+\.\d s$/);
  await waitUntil(
    async () => (await logRows(page)).some((row) => /Attempt 2 failed like the one before/.test(row)),
    "a second attempt",
  );
  await page.locator("#reconnect-note").waitFor();
  await page.click("#reconnect-cancel");
  await page.locator("#reconnect-note").waitFor({ state: "hidden" });
});

browserTest("has several connections, each with its own URL and log", async (t, open) => {
  const server = await startServer(t);
  const { page } = await open(server.urls.page);
  await page.fill("#message", "on the first");
  await page.click("#send");
  await page.locator(".entry.message").waitFor();
  await page.click("#connection-add");
  assert.deepEqual(await logRows(page), []);
  await seeReadyState(page, 3);
  await page.fill("#url", `${server.urls.echo}?second`);
  await page.fill("#message", "on the second");
  await page.click("#send");
  await page.locator(".entry.message").waitFor();
  assert.match((await logRows(page)).join(), /on the second/);
  assert.equal((await server.stats())["echo_connections"], 2);
  await page.click("#connections button:first-child");
  assert.equal(await page.inputValue("#url"), server.urls.echo);
  assert.match((await logRows(page)).join(), /on the first/);
  await page.click("#connections button:nth-child(2)");
  await page.click("#connection-remove");
  assert.match((await logRows(page)).join(), /on the first/);
  await waitUntil(async () => (await server.stats())["echo_connections"] === 1, "the second to close");
});

browserTest(
  "a reload keeps the URL, the history and the theme; a link fills in the page",
  async (t, open) => {
    const server = await startServer(t);
    const { page, troubles } = await open(server.urls.page, { colorScheme: "light" });
    await page.fill("#url", `${server.urls.echo}?kept`);
    await page.fill("#message", "remember me");
    await page.click("#send");
    await page.locator(".entry.message").waitFor();
    await page.click("#theme");
    await page.click("#theme");
    assert.equal(await page.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(14, 17, 22)");
    await page.reload();
    assert.equal(await page.inputValue("#url"), `${server.urls.echo}?kept`);
    assert.equal(await page.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(14, 17, 22)");
    await page.click("#history summary");
    await seeText(page, "#history-list .draft", /remember me/);

    await page.goto(`${server.urls.page}#url=/echo%3Fby=link&protocols=chat&message=from+a+link&connect`);
    await page.reload();
    await seeReadyState(page, 1);
    assert.equal(await page.inputValue("#url"), `${server.urls.echo}?by=link`);
    assert.equal(await page.inputValue("#message"), "from a link");
    await seeText(page, "#protocol", /^chat$/);
    assert.deepEqual(troubles, []);
  },
);

browserTest("the divider sets the height of the message field, by pointer and by key", async (t, open) => {
  const server = await startServer(t);
  const { page } = await open(server.urls.page, { viewport: { width: 1280, height: 800 } });
  const height = async () => Math.round((await page.locator("#message").boundingBox())?.height ?? 0);
  const before = await height();
  await page.focus("#divider");
  await page.keyboard.press("ArrowUp");
  assert.equal(await height(), before + 24);
  const divider = await page.locator("#divider").boundingBox();
  assert.ok(divider !== null);
  await page.mouse.move(divider.x + divider.width / 2, divider.y + 4);
  await page.mouse.down();
  await page.mouse.move(divider.x + divider.width / 2, divider.y - 46);
  await page.mouse.up();
  assert.equal(await height(), before + 24 + 50);
});

browserTest("on a phone the log is above the fold, and touch targets are 44 pixels high", async (t, open) => {
  const server = await startServer(t);
  const { page } = await open(server.urls.page, { viewport: { width: 375, height: 812 }, hasTouch: true });
  await page.click("#send");
  await page.locator(".entry.message").waitFor();
  const log = await page.locator("#log").boundingBox();
  assert.ok(log !== null && log.y < 280 && log.y + log.height < 640, JSON.stringify(log));
  const small =
    await page.evaluate(`[...document.querySelectorAll("button, summary, select, input[type=text]")]
    .filter((control) => control.checkVisibility() && control.closest("details:not([open])") === null)
    .filter((control) => control.getBoundingClientRect().height < 44)
    .map((control) => control.outerHTML)`);
  assert.deepEqual(small, []);
  await page.click("#history summary");
  const menu = await page.locator("#history-list").boundingBox();
  assert.ok(menu !== null && menu.x >= 0 && menu.x + menu.width <= 375, JSON.stringify(menu));
});

browserTest("choosing an endpoint on demand and its parameters builds the URL", async (t, open) => {
  const server = await startServer(t);
  const { page, troubles } = await open(server.urls.page);
  await page.click("#endpoints summary");
  await page.fill('[name="delay"]', "50ms");
  await page.check('[name="abrupt"]');
  await seeText(page, "#endpoint-problem", /abrupt: .*close_after or close_in/);
  await page.fill('[name="close_after"]', "2");
  await page.locator("#endpoint-problem").waitFor({ state: "hidden" });
  assert.equal(await page.inputValue("#url"), `${server.urls.echo}?delay=50ms&close_after=2&abrupt`);
  await page.click("#send");
  await seeText(
    page,
    ".entry.open .why",
    /^Asked: delay 50ms: delays each reply by this long; close_after 2/,
  );

  await page.selectOption("#endpoint", "status");
  await page.fill('[name="code"]', "503");
  assert.equal(await page.inputValue("#url"), server.urls.echo.replace("/echo", "/status/503"));
  await page.fill("#url", server.urls.echo.replace("/echo", "/close?code=4001&reason=bye+now"));
  assert.equal(await page.inputValue("#endpoint"), "close");
  assert.equal(await page.inputValue('[name="reason"]'), "bye now");
  await page.click("#tab-snippets");
  await seeText(page, "#snippet-code", /\/close\?code=4001&reason=bye\+now/);
  assert.deepEqual(troubles, []);
});
