import assert from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import { startEchoServer } from "../../src/index.ts";
import { browserTest as test } from "../support/chromium.ts";
import { spawnServer, startServer } from "../support/echo-server.ts";
import { freePort } from "../support/free-port.ts";
import { waitUntil } from "../support/wait.ts";
import { logRows, seeReadyState, seeText } from "./page-fixture.ts";

/** How many pixels of each plot have one of the lines' colours rather than that of grid or text. */
const coloredPixels = `[...document.querySelectorAll("#server-plots canvas")].map((canvas) => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    const spread = Math.max(data[at], data[at + 1], data[at + 2]) - Math.min(data[at], data[at + 1], data[at + 2]);
    if (data[at + 3] > 0 && spread > 60) count += 1;
  }
  return count;
})`;

test("readyState follows a server that restarts, and the page reconnects", async (t, open) => {
  const port = await freePort();
  const first = await startEchoServer({ port });
  const { page } = await open(first.urls.page).finally(() => t.after(() => first.stop()));
  await seeReadyState(page, 3);
  await page.click("#options summary");
  await page.check("#reconnect");
  await page.click("#connect");
  await seeReadyState(page, 1);
  await seeText(page, "#server-status", /^Live$/);

  await first.stop();
  await seeReadyState(page, 3);
  await page.locator(".entry.close").first().waitFor();
  assert.match((await logRows(page))[1] ?? "", /1001 Going Away[\s\S]*Trying again in/);
  await seeText(page, "#server-message-text", /does not respond/);
  await waitUntil(
    async () => (await logRows(page)).some((row) => /1006[\s\S]*never opened/.test(row)),
    "a failed try",
  );
  await seeText(page, "#state-pill", /^(Reconnecting|Connecting)$/);

  const second = await startEchoServer({ port });
  t.after(() => second.stop());
  await seeReadyState(page, 1);
  await seeText(page, "#server-status", /^Live$/);
  await seeText(page, "#state-pill", /^Open$/);
});

test("explains 1006 when the server is killed", async (t, open) => {
  const server = await spawnServer(t);
  const { page } = await open(`http://${server.authority}/`);
  await page.click("#connect");
  await seeReadyState(page, 1);
  server.child.kill("SIGKILL");
  await page.locator(".entry.close").waitFor();
  assert.match(
    (await logRows(page)).at(-1) ?? "",
    /1006 Abnormal Closure[\s\S]*without a close frame[\s\S]*killed or crashed/,
  );
});

test("the plots move under load, and the limits are those of the server", async (t, open) => {
  const server = await startServer(t, { maxPayload: "3MiB" });
  const { page, troubles } = await open(server.urls.page);
  await seeText(page, "#server-limits", /--max-payload3 MiB.*--max-connections-per-ipoff/);
  await seeText(page, "#server-plots .value >> nth=0", /^0 in, 0 out$/);
  const before = (await page.evaluate(coloredPixels)) as number[];
  await page.click("#tab-flood");
  await page.check('input[value="seconds"]');
  await page.fill("#flood-amount", "3");
  await page.click("#flood-start");
  await seeText(
    page,
    "#server-plots .value >> nth=0",
    /^[\d.,]*[1-9][\d.,]*k? in, [\d.,]*[1-9][\d.,]*k? out$/,
  );
  await seeText(page, "#server-plots .value >> nth=1", /^1$/);
  await seeText(page, "#flood-note", /^Done/);
  const after = (await page.evaluate(coloredPixels)) as number[];
  assert.equal(after.length, 7);
  assert.ok(
    (after[0] ?? 0) > (before[0] ?? 0) + 100,
    `messages/s: ${before[0]} then ${after[0]} coloured pixels`,
  );
  assert.ok((after[1] ?? 0) > (before[1] ?? 0), `connections: ${before[1]} then ${after[1]} coloured pixels`);
  assert.deepEqual(troubles, []);
});

test("with an admin port the panel says where the metrics are, and the rest works", async (t, open) => {
  const server = await startServer(t, { adminPort: 0 });
  const { page, troubles } = await open(server.urls.page);
  await seeText(page, "#server-message-text", /--admin-port/);
  await page.click("#run");
  await page.locator(".entry.close").waitFor();
  assert.deepEqual(
    troubles.filter((trouble) => !/status of 404/.test(trouble)),
    [],
  );
});

test("opened from a file, the page defaults to this machine, explains missing metrics, and connects to other servers", async (t, open) => {
  const server = await startServer(t);
  const file = pathToFileURL(fileURLToPath(new URL("../../dist/web/page.html", import.meta.url))).href;
  const { page } = await open(file);
  assert.equal(await page.inputValue("#url"), "ws://localhost:9998/echo");
  await seeText(page, "#server-message-text", /another origin/);
  await page.fill("#url", server.urls.echo);
  await page.click("#run");
  await page.locator(".entry.close").waitFor();
  assert.match((await logRows(page)).at(-1) ?? "", /1000 Normal Closure/);
});
