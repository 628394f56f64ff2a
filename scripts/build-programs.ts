// Bundles the processes of the server, after tsc: a start then reads one file instead of three hundred. The library and
// the harness stay as tsc wrote them.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type BuildOptions, type BuildResult, build, type Plugin } from "esbuild";

const outputFolder = "dist/src";
const bundleFolder = `${outputFolder}/bundle`;
const mainBundle = `${bundleFolder}/main.cjs`;

/** commander runs subcommands that are programs of their own, and pino logs from threads: both load what is never used here. */
const leaveOutUnused: Plugin = {
  name: "leave-out-unused",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:child_process|thread-stream)$/ }, ({ path, importer }) =>
      /node_modules\/(commander|pino)\//.test(importer) ? { path, namespace: "unused" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "unused" }, () => ({ contents: "module.exports = {};" }));
  },
};

const shared: BuildOptions = {
  allowOverwrite: true,
  bundle: true,
  platform: "node",
  target: "node20.12",
  // Names stay, for stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  // The native binaries; and what only a terminal needs.
  external: ["uWebSockets.js", "pino-pretty"],
  plugins: [leaveOutUnused],
  metafile: true,
  logLevel: "warning",
};

/** CommonJS, since a module has no code cache, and loads a Node module where it is used first. */
function bundleMain(): Promise<BuildResult> {
  return build({
    ...shared,
    entryPoints: [`${outputFolder}/main.js`],
    outfile: mainBundle,
    format: "cjs",
    // A script with a code cache cannot import.
    supported: { "dynamic-import": false },
    define: { "import.meta.url": "bundleUrl" },
    banner: { js: 'const bundleUrl=require("node:url").pathToFileURL(__filename).href;' },
  });
}

function bundleModule(entry: string): Promise<BuildResult> {
  return build({
    ...shared,
    entryPoints: [`${outputFolder}/${entry}`],
    outfile: `${outputFolder}/${entry}`,
    format: "esm",
    // Packages in CommonJS ask for Node's own modules with require().
    banner: {
      js: 'import{createRequire as requireFor}from"node:module";const require=requireFor(import.meta.url);',
    },
  });
}

rmSync(bundleFolder, { recursive: true, force: true });
mkdirSync(bundleFolder);
const bundled = [await bundleMain(), await bundleModule("process/worker.js")];
writeFileSync(
  `${outputFolder}/main.js`,
  `import { fileURLToPath } from "node:url";
import { compileBundle, runBundle } from "./system/code-cache.js";
const path = fileURLToPath(new URL("bundle/main.cjs", import.meta.url));
export const { run } = runBundle(compileBundle(path), path);
`,
);
bundled.push(await bundleModule("cli.js"));
// Options of the server or of V8 that are set here would make another start, or a cache that V8 refuses elsewhere.
const plainEnvironment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("UWS_ECHO_") && name !== "NODE_OPTIONS"),
);
try {
  execFileSync(process.execPath, ["--import", "tsx", "scripts/cache-code.ts", mainBundle], {
    stdio: "inherit",
    env: plainEnvironment,
  });
} catch {
  process.stderr.write("No code cache was made, so a start takes longer: the server does not run here.\n");
}

/** Licences ask for their text in every copy. */
const packages = new Set(
  bundled
    .flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {}))
    .flatMap((path) => /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
);
const notices = [...packages].toSorted().map((name) => {
  const folder = `node_modules/${name}`;
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined || !existsSync(`${folder}/${file}`)) {
    throw new Error(`${name} is bundled and has no licence file`);
  }
  return `${name}\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
});
writeFileSync(`${bundleFolder}/LICENSES.txt`, notices.join("\n---\n\n"));
