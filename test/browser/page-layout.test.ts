import assert from "node:assert/strict";
import { browserTest as test } from "../support/chromium.ts";
import { startServer } from "../support/echo-server.ts";
import { waitUntil } from "../support/wait.ts";
import { seeReadyState, seeText } from "./page-fixture.ts";

const phoneSize = { width: 375, height: 812 };

for (const colorScheme of ["light", "dark"] as const) {
  test(`on a phone in the ${colorScheme} theme, every panel fits, works and logs no errors`, async (t, open) => {
    const server = await startServer(t);
    const { page, troubles } = await open(server.urls.page, { viewport: phoneSize, colorScheme });
    const background = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    assert.equal(background, colorScheme === "light" ? "rgb(244, 245, 247)" : "rgb(14, 17, 22)");
    await page.fill("#message", "wide".repeat(500));
    await page.click("#send");
    await page.locator(".entry.message summary").click();
    for (const tab of ["console", "flood", "overrun", "snippets", "server"]) {
      await page.click(`#tab-${tab}`);
      await page.locator(`#${tab}`).waitFor();
      assert.equal(await page.locator('[role="tabpanel"]:visible').count(), tab === "snippets" ? 2 : 1);
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), phoneSize.width, tab);
    }
    await seeText(page, "#server-status", /^Live$/);
    await page.setViewportSize({ width: 320, height: 640 });
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 320);
    assert.deepEqual(troubles, []);
  });
}

for (const viewport of [{ width: 1280, height: 800 }, phoneSize]) {
  test(`${viewport.width} pixels wide, the states take one line and nothing is cut off after an error`, async (t, open) => {
    const server = await startServer(t, { maxPayload: 1000 });
    const { page } = await open(server.urls.page, { viewport });
    const heightOf = async (selector: string) => (await page.locator(selector).boundingBox())?.height ?? 0;
    await page.click("#send");
    await seeReadyState(page, 1);
    assert.ok((await heightOf("#ready-state")) < 30, "open");
    const button = await page.locator("#send").boundingBox();
    await page.fill("#message", "x".repeat(2000));
    await page.locator("#message-note.problem").waitFor();
    assert.equal((await page.locator("#send").boundingBox())?.x, button?.x, "a warning moves no button");
    await page.click("#send");
    await seeReadyState(page, 3);
    assert.ok((await heightOf("#ready-state")) < 30, "closed");
    const states = viewport === phoneSize ? "#ready-state" : ".wire";
    assert.ok((await heightOf(states)) < 30, "on one line with the buffer, where there is room");
    assert.ok((await heightOf(".masthead")) < 80, "the masthead takes one line");
    for (const control of await page.locator(".masthead button:visible, .target summary").all()) {
      const { x, width } = (await control.boundingBox()) ?? { x: -1, width: 0 };
      assert.ok(x >= 0 && x + width <= viewport.width, `${await control.innerHTML()} ends at ${x + width}`);
    }
  });
}

test("choosing another message type moves no button, also before the first connection", async (t, open) => {
  const server = await startServer(t);
  const { page } = await open(server.urls.page, { viewport: { width: 1280, height: 800 } });
  const before = await page.locator("#send").boundingBox();
  await page.locator('input[name="mode"][value="binary"]').locator("..").click();
  await page.locator("#file-label").waitFor();
  assert.deepEqual(await page.locator("#send").boundingBox(), before);
});

test("on a wide screen the server has its own column, and the theme can change while the page is open", async (t, open) => {
  const server = await startServer(t);
  const { page, troubles } = await open(server.urls.page, {
    viewport: { width: 1440, height: 900 },
    colorScheme: "light",
  });
  await page.locator("#server").waitFor();
  assert.ok(!(await page.isVisible("#tab-server")));
  assert.equal(
    await page.evaluate("document.documentElement.scrollHeight"),
    900,
    "the page itself does not scroll",
  );
  await page.emulateMedia({ colorScheme: "dark" });
  assert.equal(await page.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(14, 17, 22)");
  await page.setViewportSize(phoneSize);
  await page.click("#tab-server");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.locator("#console").waitFor();
  assert.deepEqual(troubles, []);
});

test("the page can be used with the keyboard alone", async (t, open) => {
  const server = await startServer(t);
  const { page, troubles } = await open(server.urls.page);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate("document.activeElement.className"), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate("document.activeElement.id"), "url");
  await page.keyboard.press("Enter");
  await seeReadyState(page, 1);
  await page.focus("#message");
  await page.keyboard.press("Control+Enter");
  await page.locator(".entry.message").waitFor();
  await page.focus("#tab-console");
  for (const expected of ["tab-flood", "tab-overrun", "tab-snippets", "tab-console"]) {
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.evaluate("document.activeElement.id"), expected);
    assert.equal(await page.getAttribute(`#${expected}`, "aria-selected"), "true");
  }
  await page.focus("#history summary");
  await page.keyboard.press("Enter");
  await page.locator("#history-list .draft").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#history-list").isVisible(), false);
  assert.deepEqual(troubles, []);
});

test("every control has a name, and ids are not used twice", async (t, open) => {
  const server = await startServer(t);
  const opened = await open(server.urls.page);
  const nameless =
    await opened.page.evaluate(`[...document.querySelectorAll("input, select, textarea, button, progress, [role=tabpanel]")]
    .filter((control) => !(control.labels?.length || control.textContent.trim() || control.ariaLabel || control.getAttribute("aria-labelledby")))
    .map((control) => control.outerHTML)`);
  assert.deepEqual(nameless, []);
  const twice = await opened.page.evaluate(`[...document.querySelectorAll("[id]")].map(({ id }) => id)
    .filter((id, at, ids) => ids.indexOf(id) !== at)`);
  assert.deepEqual(twice, []);
  const dangling =
    await opened.page.evaluate(`[...document.querySelectorAll("[aria-controls], [aria-labelledby], [aria-describedby]")]
    .flatMap((element) => ["aria-controls", "aria-labelledby", "aria-describedby"].map((name) => element.getAttribute(name)))
    .filter((id) => id !== null && document.getElementById(id) === null)`);
  assert.deepEqual(dangling, []);
});

test("the browser's snippet runs as copied, and all snippets follow the URL field", async (t, open) => {
  const server = await startServer(t);
  const { page, troubles } = await open(server.urls.page);
  await page.click("#tab-snippets");
  const tabs = page.locator("#snippet-tabs [role=tab]");
  assert.equal(await tabs.count(), 8);
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  await page.evaluate((await page.textContent("#snippet-code")) ?? "");
  await waitUntil(() => said.length === 2, "the browser's snippet to run");
  assert.deepEqual(said, ["echo: Hello", "closed: 1000 done"]);
  await page.fill("#url", "wss://echo.example/echo?room=1");
  for (let at = 0; at < 8; at += 1) {
    await tabs.nth(at).click();
    assert.match(
      (await page.textContent("#snippet-code")) ?? "",
      /(wss|https):\/\/echo\.example\/echo\?room=1/,
    );
  }
  assert.deepEqual(troubles, []);
});
