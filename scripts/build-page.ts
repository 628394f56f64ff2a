// Builds the self-contained pages: the one that the server serves at `/`, also compressed, and the template of the
// harness's HTML reports.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { flagName, optionNames, optionRow } from "../src/config/resolve.ts";

const outputFolder = "dist/web";
const maxBytes = 250 * 1000;
/** Both pages bundle uPlot, whose licence asks for its text in every copy; minifying takes comments away. */
const licenceNotice = `<!-- Contains uPlot, https://github.com/leeoniya/uPlot.\n\n${readFileSync("node_modules/uplot/LICENSE", "utf8").trim()} -->`;

/** Bundles one entry file and everything that it imports. */
async function bundle(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: ["es2022", "chrome120", "firefox120", "safari17"],
    legalComments: "none",
    charset: "utf8",
    logLevel: "warning",
  });
  return (result.outputFiles[0]?.text ?? "").trim();
}

/** A template with the style and script of its entry files, below the licences of what is bundled. */
async function assemble(template: string, styleEntry: string, scriptEntry: string): Promise<string> {
  const [style, script] = await Promise.all([bundle(styleEntry), bundle(scriptEntry)]);
  // Replacement by a function: in a string, "$&" and its like would be expanded.
  return readFileSync(template, "utf8")
    .replace("<!-- inline: style -->", () => style)
    .replace("<!-- inline: script -->", () => script)
    .replace("<head>", () => `${licenceNotice}\n<head>`);
}

/** The option behind each `echo_limit_*` gauge, so that the page can name it. */
function limitOptions(): Record<string, string> {
  return Object.fromEntries(
    optionNames.flatMap((name) => {
      const { limit } = optionRow(name);
      return limit === undefined ? [] : [[limit.name, flagName(name)] as const];
    }),
  );
}

async function buildServerPage(): Promise<void> {
  const page = await assemble("src/web/page.html", "src/web/styles/page.css", "src/web/main.ts");
  const bytes = Buffer.from(
    page.replace("<!-- inline: limit options -->", () => JSON.stringify(limitOptions())),
  );
  if (bytes.length > maxBytes) {
    throw new Error(`The page has ${bytes.length} bytes; it must stay under ${maxBytes}.`);
  }
  mkdirSync(outputFolder, { recursive: true });
  writeFileSync(`${outputFolder}/page.html`, bytes);
  writeFileSync(`${outputFolder}/page.html.gz`, gzipSync(bytes, { level: 9 }));
  writeFileSync(
    `${outputFolder}/page.html.br`,
    brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
  );
}

/** The template of the harness's HTML reports, which runs its own script and no other. */
async function buildReportTemplate(): Promise<void> {
  const folder = "bench/report/page";
  const template = await assemble(`${folder}/page.html`, `${folder}/page.css`, `${folder}/main.ts`);
  const [, script = ""] = /<script>([\s\S]*)<\/script>/.exec(template) ?? [];
  const hash = createHash("sha256").update(script).digest("base64");
  mkdirSync("dist/bench/report", { recursive: true });
  writeFileSync(
    "dist/bench/report/page.html",
    template.replace("<!-- hash: script -->", () => `sha256-${hash}`),
  );
}

await Promise.all([buildServerPage(), buildReportTemplate()]);
