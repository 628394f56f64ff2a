// Describes the machine of a measurement. Unknown values are null.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { packageRoot, packageVersion } from "../../src/lib/package.ts";
import type { Environment } from "../result/schema.ts";

/** Describes this machine and this harness; call it before the load starts. */
export function describeEnvironment(): Environment {
  return {
    ...describeCheckout(),
    versions: {
      "uws-echo-bench": packageVersion(),
      node: process.versions.node,
      v8: process.versions.v8,
      libuv: process.versions.uv,
    },
    kernel: `${platform()} ${release()}`,
    distribution: readDistribution(),
    architecture: arch(),
    cpuModel: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length || availableParallelism(),
    cpuGovernor: readLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    cpuLimitCores: readCpuLimit(),
    memoryBytes: totalmem(),
    container: detectContainer(),
    loadAverage: loadavg()[0] ?? 0,
  };
}

/**
 * The logical CPUs that a process may run on.
 * @returns their numbers in order, or null when they cannot be read (no such process, or no /proc)
 */
export function allowedCpus(pid: number | "self"): number[] | null {
  const status = readText(`/proc/${pid}/status`);
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status ?? "")?.[1];
  return list === undefined ? null : parseCpuList(list);
}

/** Reads the kernel's list format: `0-2,5` becomes [0, 1, 2, 5]. */
export function parseCpuList(list: string): number[] {
  return list.split(",").flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** Commit and state of our own checkout, not of a repository that has this package in its node_modules. */
function describeCheckout(): Pick<Environment, "commit" | "dirty"> {
  const root = fileURLToPath(packageRoot);
  if (git(root, "rev-parse", "--show-toplevel") !== resolve(root)) {
    return { commit: null, dirty: null };
  }
  const status = git(root, "status", "--porcelain");
  return { commit: git(root, "rev-parse", "HEAD"), dirty: status === null ? null : status !== "" };
}

function git(folder: string, ...args: string[]): string | null {
  try {
    return execFileSync("git", ["-C", folder, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 5000,
    }).trim();
  } catch {
    return null; // no git, or no repository
  }
}

function readDistribution(): string | null {
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readText("/etc/os-release") ?? "")?.[1] ?? null;
}

/** The control group's CPU quota: version 2 keeps it in one file, version 1 in two. */
function readCpuLimit(): number | null {
  const [quota, period] =
    readLine("/sys/fs/cgroup/cpu.max")?.split(" ").map(Number) ??
    ["quota", "period"].map((name) =>
      Number(readLine(`/sys/fs/cgroup/cpu/cpu.cfs_${name}_us`) ?? Number.NaN),
    );
  const cores = (quota ?? Number.NaN) / (period ?? Number.NaN);
  return cores > 0 && Number.isFinite(cores) ? cores : null;
}

function detectContainer(): string | null {
  if (process.env["KUBERNETES_SERVICE_HOST"] !== undefined) {
    return "kubernetes";
  }
  if (existsSync("/run/.containerenv")) {
    return "podman";
  }
  if (existsSync("/.dockerenv")) {
    return "docker";
  }
  const declared = /(?:^|\0)container=([^\0]*)/.exec(readText("/proc/1/environ") ?? "")?.[1];
  return declared ?? null;
}

function readLine(path: string): string | null {
  return readText(path)?.trim() ?? null;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // another kernel or system, or no permission
  }
}
