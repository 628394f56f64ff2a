// Node's own modules that a start does not need: each takes 1 to 3 ms to load, so they are loaded at their first use.
import { createRequire } from "node:module";

const load = createRequire(import.meta.url);

export const lazily = {
  crypto: () => load("node:crypto") as typeof import("node:crypto"),
  http: () => load("node:http") as typeof import("node:http"),
  tls: () => load("node:tls") as typeof import("node:tls"),
  zlib: () => load("node:zlib") as typeof import("node:zlib"),
};
