// Where this package is, and the versions of it and of what it depends on: the same from the sources and from dist/.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** The folder of package.json, as a URL that ends in a slash. */
export const packageRoot: URL = findRoot(new URL("..", import.meta.url));

/** The version of this package, or of one that it depends on. */
export function packageVersion(dependency?: string): string {
  const manifest =
    dependency === undefined
      ? new URL("package.json", packageRoot)
      : createRequire(import.meta.url).resolve(`${dependency}/package.json`);
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  return version;
}

function findRoot(folder: URL): URL {
  return existsSync(new URL("package.json", folder)) ? folder : findRoot(new URL("..", folder));
}
