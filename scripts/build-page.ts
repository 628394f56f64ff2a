// Builds the page that the server serves at `/`: src/web into one self-contained file, and the same compressed.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const outputFolder = "dist/web";
const maxBytes = 200 * 1024;
/** uPlot's licence asks for its notice in every copy; minifying takes comments away. */
const licenceNotice =
  "<!-- Contains uPlot, https://github.com/leeoniya/uPlot, (c) Leon Sorokin, MIT License. -->";

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

const [style, script] = await Promise.all([bundle("src/web/styles/page.css"), bundle("src/web/main.ts")]);
// Replacement by a function: in a string, "$&" and its like would be expanded.
const page = readFileSync("src/web/page.html", "utf8")
  .replace("<!-- inline: style -->", () => style)
  .replace("<!-- inline: script -->", () => script)
  .replace("<head>", () => `${licenceNotice}\n<head>`);
const bytes = Buffer.from(page);
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

// And the template of the harness's HTML report, beside the module that fills it.
cpSync("bench/report/page.html", "dist/bench/report/page.html");
