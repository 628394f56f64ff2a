// The reporter of `npm test`: Node's spec reporter, and at the end what was skipped and which packages bring it. Plain
// JavaScript, because Node loads a reporter before tsx.
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { spec } from "node:test/reporters";

/** Debian packages by the program that they bring, as `.ci/run` installs them. */
function packagesByProgram() {
  const script = readFileSync(new URL("../.ci/run", import.meta.url), "utf8");
  const rows = [...script.matchAll(/^needs (?:\S*\/)?(\S+) (.*)$/gm)];
  return new Map(rows.map(([, program, names]) => [program, names]));
}

/** What was skipped, in words; empty when nothing was. */
function skipSummary(skipped) {
  if (skipped.size === 0) {
    return "";
  }
  const packages = packagesByProgram();
  const lines = [...skipped].map(([reason, count]) => {
    const names = packages.get(/^(\S+) is not installed$/.exec(reason)?.[1]);
    const advice = names === undefined ? "" : ` (Debian: apt-get install ${names})`;
    return `  ${count} ${count === 1 ? "test" : "tests"}: ${reason}${advice}`;
  });
  return `\nNot everything was tested. Skipped:\n${lines.join("\n")}\n`;
}

// biome-ignore lint/style/noDefaultExport: node:test takes a reporter as the default export
export default async function* report(source) {
  const skipped = new Map();
  async function* watched() {
    for await (const event of source) {
      if (event.type === "test:pass" && typeof event.data.skip === "string") {
        skipped.set(event.data.skip, (skipped.get(event.data.skip) ?? 0) + 1);
      }
      yield event;
    }
  }
  yield* Readable.from(watched()).compose(new spec());
  yield skipSummary(skipped);
}
