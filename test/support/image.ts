// Builds the image from the Dockerfile on a stand-in for its base, and runs containers, by Podman in a separate storage: no
// other image or container is touched. `rm -r ~/.cache/uws-echo-test` deletes what it keeps between runs.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { read, root } from "./deploy.ts";
import type { Cleanup } from "./echo-server.ts";
import { freePort } from "./free-port.ts";
import type { Needs } from "./tools.ts";
import { waitUntil } from "./wait.ts";

/** The Dockerfile's base image by its full name, so that nothing is ever pulled. */
export const baseImage: string = `docker.io/library/${/^ARG NODE_IMAGE=(\S+)$/m.exec(read("Dockerfile"))?.[1]}`;

const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "uws-echo-test");
// One for each storage, and removed at a reboot, as Podman expects.
const state = `/run/uws-echo-test-${createHash("sha256").update(cache).digest("hex").slice(0, 8)}`;
const storage = ["--root", `${cache}/storage`, "--runroot", `${state}/run`, "--tmpdir", `${state}/libpod`];
const env = {
  ...process.env,
  CONTAINERS_CONF: `${root}test/support/containers.conf`,
  // Tests run health checks, not a timer of systemd.
  DISABLE_HC_SYSTEMD: "true",
  // Where the build keeps its npm cache.
  TMPDIR: `${cache}/tmp`,
};

/** The output of a program, and its exit code. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[]): Finished {
  const done = spawnSync(command, args, { env, cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (done.error !== undefined) {
    throw done.error;
  }
  return { code: done.status, stdout: done.stdout, stderr: done.stderr };
}

/** Runs Podman and waits for its end, whatever its exit code is. */
export function tryPodman(...args: readonly string[]): Finished {
  return run("podman", [...storage, ...args]);
}

/** Runs Podman and returns its output; fails if Podman does. */
export function podman(...args: readonly string[]): string {
  const { code, stdout, stderr } = tryPodman(...args);
  if (code !== 0) {
    throw new Error(`podman ${args.join(" ")} ended with ${code}\n${stdout}${stderr}`);
  }
  return stdout.trim();
}

/** What building the image and running containers needs. */
export const containers: Needs = { programs: ["podman", "runc", "debootstrap"], root: true };

/** Builds the stand-in for the base image, unless it exists from the same script. */
function ensureBase(): void {
  const script = `${root}test/support/base-image.sh`;
  const digest = createHash("sha256").update(readFileSync(script)).digest("hex");
  // 1 means no; anything else is a Podman that does not work, which is better reported before a base is built.
  const { code, stderr } = tryPodman("image", "exists", baseImage);
  if (code !== 0 && code !== 1) {
    throw new Error(`podman does not work here: ${stderr}`);
  }
  const label = `{{index .Config.Labels "test.base-image.sh"}}`;
  if (tryPodman("image", "inspect", "--format", label, baseImage).stdout.trim() === digest) {
    return;
  }
  const archive = `${mkdtempSync(join(tmpdir(), "uws-echo-base-"))}/base.tar`;
  try {
    const made = spawnSync("nice", ["bash", script], {
      stdio: ["ignore", openSync(archive, "w"), "pipe"],
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    if (made.status !== 0) {
      throw new Error(`base-image.sh ended with ${made.status}\n${made.stderr}`);
    }
    // The command of the official image: that ours does not inherit it, as an argument, is for a test to see.
    const changes = ['CMD ["node"]', `LABEL test.base-image.sh=${digest}`];
    podman("import", "--quiet", ...changes.flatMap((change) => ["--change", change]), archive, baseImage);
  } finally {
    rmSync(join(archive, ".."), { recursive: true });
  }
}

/**
 * npm's configuration on this machine for the build: registry, proxies and certificates, which may come from files, from
 * variables or from this project's npm.
 */
function npmArguments(): string[] {
  const config = JSON.parse(run("npm", ["config", "list", "--json"]).stdout) as Record<string, unknown>;
  const own = config["userconfig"];
  const lines = typeof own === "string" && existsSync(own) ? [readFileSync(own, "utf8")] : [];
  for (const key of ["registry", "proxy", "https-proxy", "noproxy", "strict-ssl"]) {
    if (config[key] !== null && config[key] !== undefined && config[key] !== "") {
      lines.push(`${key}=${String(config[key])}`);
    }
  }
  const authorities = config["cafile"] ?? process.env["NODE_EXTRA_CA_CERTS"];
  const inside = "/run/certificate-authorities.pem";
  if (typeof authorities === "string") {
    lines.push(`cafile=${inside}`);
  }
  writeFileSync(`${state}/npmrc`, lines.join("\n"), { mode: 0o600 });
  const secret = ["--secret", `id=npmrc,src=${state}/npmrc`];
  return typeof authorities === "string" ? [...secret, "--volume", `${authorities}:${inside}:ro`] : secret;
}

/**
 * Builds the image as the Dockerfile says.
 * @returns its id
 */
export function buildImage(): string {
  for (const path of [`${cache}/tmp`, state]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
  ensureBase();
  const idFile = `${state}/image-${process.pid}`;
  try {
    const options = ["--format", "docker", "--pull=never", "--network", "host", "--iidfile", idFile];
    const args = [...storage, "build", ...options, ...npmArguments(), "."];
    const { code, stdout, stderr } = run("nice", ["podman", ...args]);
    if (code !== 0) {
      throw new Error(`the build ended with ${code}\n${stdout}${stderr}`);
    }
    return readFileSync(idFile, "utf8");
  } finally {
    for (const path of [idFile, `${state}/npmrc`]) {
      rmSync(path, { force: true });
    }
    // Layers that no build has used for a week; newer ones make the next build quick.
    tryPodman("image", "prune", "--force", "--filter", "until=168h");
  }
}

/** The restrictions of docs/deploying.md; `--read-only-tmpfs=false` removes the /tmp that only Podman would add. */
export const restrictions: readonly string[] = [
  ...["--network", "host", "--read-only", "--read-only-tmpfs=false", "--cap-drop", "ALL"],
  ...["--security-opt", "no-new-privileges", "--user", "1000:1000", "--memory", "256m", "--cpus", "1"],
];

/** A container that serves. */
export interface Container {
  readonly id: string;
  /** Base of its listener on loopback, such as `127.0.0.1:34567`. */
  readonly authority: string;
}

/** Starts a container of the image, restricted, and waits until it is ready; removed after the test. */
export async function startContainer(
  t: Cleanup,
  image: string,
  variables: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<Container> {
  const port = await freePort();
  const all = { UWS_ECHO_HOST: "127.0.0.1", UWS_ECHO_PORT: String(port), ...variables };
  const options = Object.entries(all).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  const id = podman("run", "--detach", ...restrictions, ...options, image, ...args);
  t.after(() => podman("rm", "--force", "--time", "0", id));
  const ready = /"serving http:\/\/([^/"]+)\/readyz"/;
  await waitUntil(() => ready.test(podman("logs", id)), "the container to serve");
  return { id, authority: ready.exec(podman("logs", id))?.[1] ?? "" };
}
