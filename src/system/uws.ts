// Loads the native uWebSockets.js binary, or explains why it does not load. Nothing else imports its values.

import { readFileSync } from "node:fs";
import { UwsEchoError } from "../lib/errors.ts";

/** What uWebSockets.js exports. */
export type Native = typeof import("uWebSockets.js");

/** The native binary of uWebSockets.js cannot be used on this machine. The message names the cause and the way out. */
export class NativeLoadError extends UwsEchoError<"ERR_NATIVE_LOAD"> {
  override readonly name = "NativeLoadError";
  constructor(problem: string, cause: unknown) {
    super("ERR_NATIVE_LOAD", problem, { cause });
  }
}

/** What decides which native binary is needed, and whether it can be loaded. */
export interface Platform {
  readonly nodeVersion: string;
  /** The Node ABI, `process.versions.modules`. */
  readonly abi: string;
  readonly os: string;
  readonly arch: string;
  /** The version of glibc, or undefined where there is none (musl). */
  readonly glibc: string | undefined;
}

/**
 * The Node versions that have a binary: package.json's `engines` lists the same. With each the ABI, and the oldest glibc
 * that its Linux binary loads on (read from the binaries' symbol versions).
 */
export const supportedNodes = [
  { major: 20, abi: "115", glibc: "2.27" },
  { major: 22, abi: "127", glibc: "2.38" },
  { major: 24, abi: "137", glibc: "2.38" },
  { major: 25, abi: "141", glibc: "2.38" },
] as const;

/** The systems that have binaries for all of them. */
export const supportedSystems: readonly string[] = [
  "linux x64",
  "linux arm64",
  "darwin x64",
  "darwin arm64",
  "win32 x64",
];

/**
 * Loads uWebSockets.js.
 * @throws NativeLoadError when no binary fits the Node version, the C library or the platform
 */
export async function loadNative(): Promise<Native> {
  try {
    // Both the CommonJS and the ESM entry of the package have everything in their default export.
    const module = (await import("uWebSockets.js")) as unknown as { default: Native };
    return module.default;
  } catch (error) {
    throw new NativeLoadError(explainLoadFailure(currentPlatform(), String(error)), error);
  }
}

/** The sentence for an operator whose machine the binary does not fit. */
export function explainLoadFailure(platform: Platform, detail: string): string {
  const { nodeVersion, abi, os, arch, glibc } = platform;
  const needed = supportedNodes.find((node) => node.abi === abi)?.glibc;
  const intro = `uWebSockets.js cannot be loaded on Node ${nodeVersion} (ABI ${abi}), ${os} ${arch}: `;
  if (os === "linux" && glibc === undefined) {
    return `${intro}this system uses musl instead of glibc (Alpine?), and uWebSockets.js has no build for it. Use an image with glibc, such as Debian or Ubuntu.`;
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
    return `${intro}the package or its binary for this platform is not installed. Run npm ci; a pruned installation needs it after Node is updated. (${firstLine(detail)})`;
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
  // Shared objects mapped into this process tell musl from glibc without the cost of a diagnostic report.
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
