// Writes V8's code cache for the bundled command: starts the server, and keeps what V8 has compiled for that.
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { run as Run } from "../src/main.ts";
import { codeCachePath, compileBundle, runBundle } from "../src/system/code-cache.ts";

const [, , bundle = ""] = process.argv;
const path = resolve(bundle);
const script = compileBundle(path);
const { run } = runBundle(script, path) as { readonly run: typeof Run };
process.argv.splice(
  2,
  Number.POSITIVE_INFINITY,
  "--host",
  "127.0.0.1",
  "--port",
  "0",
  "--log-level",
  "error",
);
const exitCode = await run({
  direct(target) {
    writeFileSync(codeCachePath(path), script.createCachedData());
    target.stop("SIGTERM");
  },
});
process.exit(exitCode);
