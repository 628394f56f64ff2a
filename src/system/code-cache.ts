// Runs a bundle of CommonJS with the code cache that the build has left beside it: V8 then neither parses nor compiles
// what a start needs.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Script } from "node:vm";

/** Where the cache of a bundle is for this Node. V8 checks its version and flags itself, but not the architecture. */
export function codeCachePath(path: string): string {
  return `${path}.${process.version}-${process.arch}.cache`;
}

/** Compiles a bundle, or takes it from its cache. A cache that V8 refuses costs its reading and nothing else. */
export function compileBundle(path: string): Script {
  const cachePath = codeCachePath(path);
  return new Script(`(function(exports,require,module,__filename){${readFileSync(path, "utf8")}\n})`, {
    filename: path,
    ...(existsSync(cachePath) && { cachedData: readFileSync(cachePath) }),
  });
}

/** Runs a bundle and returns what it exports. */
export function runBundle(script: Script, path: string): unknown {
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(path), module, path);
  return module.exports;
}
