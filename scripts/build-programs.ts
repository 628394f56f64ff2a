// Bundles the processes of the server, after tsc: a start then reads three files instead of three hundred. What a start
// does not need is in files that are loaded later. The library and the harness stay as tsc wrote them.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const outputFolder = "dist/src";
const sharedFolder = `${outputFolder}/bundle`;

rmSync(sharedFolder, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: [`${outputFolder}/cli.js`, `${outputFolder}/process/worker.js`],
  outbase: outputFolder,
  outdir: outputFolder,
  allowOverwrite: true,
  bundle: true,
  splitting: true,
  chunkNames: "bundle/[name]-[hash]",
  platform: "node",
  format: "esm",
  target: "node20.12",
  // Names stay, for stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  // The native binaries; and what only a terminal needs.
  external: ["uWebSockets.js", "pino-pretty"],
  // Packages in CommonJS ask for Node's own modules with require().
  banner: {
    js: 'import{createRequire as requireFor}from"node:module";const require=requireFor(import.meta.url);',
  },
  metafile: true,
  logLevel: "warning",
});

/** Licences ask for their text in every copy. */
const packages = new Set(
  Object.keys(metafile.inputs).flatMap(
    (path) => /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
  ),
);
const notices = [...packages].toSorted().map((name) => {
  const folder = `node_modules/${name}`;
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined || !existsSync(`${folder}/${file}`)) {
    throw new Error(`${name} is bundled and has no licence file`);
  }
  return `${name}\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
});
writeFileSync(`${sharedFolder}/LICENSES.txt`, notices.join("\n---\n\n"));
