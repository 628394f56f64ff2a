// Loads the native binary of uWebSockets.js, or explains why it does not load. Only this file imports its values.

import { readFileSync } from "node:fs";
import { UwsEchoError } from "../lib/errors.ts";

/** The exports of uWebSockets.js. */
export type Native = typeof import("uWebSockets.js");

/** The native binary of uWebSockets.js does not load. The message names the cause and a remedy. */
export class NativeLoadError extends UwsEchoError<"ERR_NATIVE_LOAD"> {
  override readonly name = "NativeLoadError";
  constructor(problem: string, cause: unknown) {
    super("ERR_NATIVE_LOAD", problem, { cause });
  }
}

/** The properties that select the native binary, and decide whether it loads. */
export interface Platform {
  readonly nodeVersion: string;
  /** The Node ABI, `process.versions.modules`. */
  readonly abi: string;
  readonly os: string;
  readonly arch: string;
  /** The version of glibc; undefined with musl. */
  readonly glibc: string | undefined;
}

/**
 * The Node versions that have a binary, as in package.json's `engines`, with the ABI and the oldest glibc for its Linux
 * binary (from its symbol versions).
 */
export const supportedNodes = [
  { major: 20, abi: "115", glibc: "2.27" },
  { major: 22, abi: "127", glibc: "2.38" },
  { major: 24, abi: "137", glibc: "2.38" },
  { major: 25, abi: "141", glibc: "2.38" },
] as const;

/** The systems that have binaries for all these versions. */
export const supportedSystems: readonly string[] = [
  "linux x64",
  "linux arm64",
  "darwin x64",
  "darwin arm64",
  "win32 x64",
];

/**
 * Loads uWebSockets.js.
 * @throws NativeLoadError if no binary fits the Node version, the C library or the platform
 */
export async function loadNative(): Promise<Native> {
  try {
    // The CommonJS and the ESM entry of the package both export everything as default.
    const module = (await import("uWebSockets.js")) as unknown as { default: Native };
    return module.default;
  } catch (error) {
    throw new NativeLoadError(explainLoadFailure(currentPlatform(), String(error)), error);
  }
}

/** Explains why the binary does not load on this platform. */
export function explainLoadFailure(platform: Platform, detail: string): string {
  const { nodeVersion, abi, os, arch, glibc } = platform;
  const needed = supportedNodes.find((node) => node.abi === abi)?.glibc;
  const intro = `uWebSockets.js cannot be loaded on Node ${nodeVersion} (ABI ${abi}), ${os} ${arch}: `;
  if (os === "linux" && glibc === undefined) {
    return `${intro}this system uses musl instead of glibc (Alpine?), for which uWebSockets.js has no binary. Use an image with glibc, such as Debian or Ubuntu.`;
  }
  if (!supportedSystems.includes(`${os} ${arch}`)) {
    return `${intro}there is no binary for this system. There are binaries for ${supportedSystems.join(", ")}.`;
  }
  if (needed === undefined) {
    return `${intro}there is no binary for this Node version. Use Node 20 (glibc 2.27 or newer), or Node 22, 24 or 25 (glibc 2.38 or newer).`;
  }
  if (os === "linux" && glibc !== undefined && isOlder(glibc, needed)) {
    return `${intro}its binary for this Node version needs glibc ${needed}, and this system has ${glibc}. Use Node 20, or a newer system (Debian 13, Ubuntu 24.04).`;
  }
  if (/MODULE_NOT_FOUND|Cannot find (?:package|module)/.test(detail)) {
    return `${intro}the package or its binary for this platform is not installed. Run npm ci; a pruned installation needs that after an update of Node. (${firstLine(detail)})`;
  }
  return `${intro}${firstLine(detail)}`;
}

function currentPlatform(): Platform {
  return {
    nodeVersion: process.versions.node,
    abi: process.versions.modules,
    os: process.platform,
    arch: process.arch,
    glibc: process.platform === "linux" ? glibcVersion() : undefined,
  };
}

function glibcVersion(): string | undefined {
  // The mapped shared objects distinguish musl from glibc without a costly diagnostic report.
  if (/\/ld-musl-/.test(readFileSync("/proc/self/maps", "utf8"))) {
    return undefined;
  }
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime;
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [thanMajor = 0, thanMinor = 0] = than.split(".").map(Number);
  return major < thanMajor || (major === thanMajor && minor < thanMinor);
}

function firstLine(text: string): string {
  return text.split("\n").find((line) => line.trim() !== "") ?? text;
}
