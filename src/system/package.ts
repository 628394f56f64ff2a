// Where this package is, and what version it has: the same from src/ and from dist/.
import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";

/** The folder of package.json, as a URL that ends in a slash. */
export const packageRoot: URL = findRoot(new URL("..", import.meta.url));

/** The version in package.json. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("package.json", packageRoot), "utf8"));
  return z.object({ version: z.string() }).parse(manifest).version;
}

function findRoot(folder: URL): URL {
  return existsSync(new URL("package.json", folder)) ? folder : findRoot(new URL("..", folder));
}
