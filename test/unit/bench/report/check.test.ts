import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatCheck } from "../../../../bench/report/check/text.ts";
import { reportSources } from "../../../../bench/report/kinds.ts";
import type { CheckReport } from "../../../../bench/result/check.ts";
import { plainLook } from "../../../../src/lib/terminal.ts";
import { exampleCheck } from "../../../support/check-report.ts";

const form = { service: false, look: plainLook } as const;

function sourceOf(report: CheckReport): { name: string; text: string } {
  return { name: "check.json", text: JSON.stringify(report) };
}

describe("the report of a check", () => {
  test("fits 80 columns, and puts advice below each failure", () => {
    const text = formatCheck(exampleCheck(), { ...plainLook, width: 80 });
    const tooLong = text.split("\n").filter((line) => line.length > 80);
    assert.deepEqual(tooLong, []);
    assert.match(text, /^FAILS +silence +after 60 s of silence: the target ended the$/m);
    assert.match(
      text,
      /^ +directly: open after 65 s of silence\n +-> cuts silence after 60 s; a ping every 45 s$/m,
    );
    assert.match(text, /^DIFFERS +101 and headers +101 after 7 ms/m);
    assert.match(text, /^not tested +kept by messages/m);
    assert.match(text, /^0 pass, 1 differs, 1 fails, 1 not tested$/m);
  });

  test("says that checks were cut short", () => {
    const text = formatCheck(exampleCheck({ partial: { reason: "interrupted" } }));
    assert.match(text, /^Not finished: interrupted\.$/m);
  });

  test("is a table in Markdown, with nothing that breaks it", () => {
    const markdown = reportSources([sourceOf(exampleCheck())], { ...form, format: "markdown" });
    assert.match(markdown, /^\| Group \| Check \| Status \| Seen \| Directly \| What to do \|$/m);
    assert.match(markdown, /proxy \\\| 1/);
  });

  test("has no column for another way where there was none", () => {
    const checks = exampleCheck().checks.map((check) => ({ ...check, direct: null }));
    const alone = exampleCheck({ directUrl: null, checks });
    assert.doesNotMatch(reportSources([sourceOf(alone)], { ...form, format: "markdown" }), /Directly/);
    assert.doesNotMatch(formatCheck(alone), /directly/);
  });

  test("is a row for each check in CSV", () => {
    const rows = reportSources([sourceOf(exampleCheck())], { ...form, format: "csv" }).split("\r\n");
    assert.equal(rows.length, 5);
    assert.match(rows[2] ?? "", /,idle,idle-silent,fails,/);
  });

  test("is a page in HTML that escapes texts of the target", () => {
    const html = reportSources([sourceOf(exampleCheck())], { ...form, format: "html" });
    assert.match(html, /does not echo &lt;b&gt;messages/);
    assert.match(html, /uws-echo-bench check ws:\/\/proxy\.example\/echo/);
  });
});
