// Writes conclusions as JUnit XML, which CI systems show beside the results of tests.

import { escapeXml } from "../frame/escape.ts";
import type { Check, Conclusion } from "./conclusion.ts";

/** A suite of one test case for each check, with the figures as its properties. */
export function formatJunit({ command, title, startedAt, seconds, checks, figures }: Conclusion): string {
  const failed = checks.filter(({ problem }) => problem !== null).length;
  const counts = attributes({ tests: checks.length, failures: failed, errors: 0, skipped: 0 });
  const suite = attributes({
    name: `uws-echo-bench ${command}: ${title}`,
    timestamp: startedAt.replace(/(\.\d+)?Z$/, ""),
    time: seconds.toFixed(3),
  });
  const properties = Object.entries(figures).map(
    ([name, value]) => `      <property${attributes({ name, value })}/>`,
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${counts}>`,
    `  <testsuite${suite}${counts}>`,
    ...(properties.length === 0 ? [] : ["    <properties>", ...properties, "    </properties>"]),
    ...checks.map((check) => testCase(check, `uws-echo-bench.${command}`)),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function testCase({ name, problem }: Check, classname: string): string {
  const opening = `    <testcase${attributes({ name, classname })}`;
  return problem === null
    ? `${opening}/>`
    : `${opening}>\n      <failure${attributes({ message: problem })}>${escapeText(problem)}</failure>\n    </testcase>`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeText(String(value))}"`)
    .join("");
}

/** XML 1.0 has no control characters, not even escaped. */
function escapeText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removes control characters
  return escapeXml(text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd"));
}
