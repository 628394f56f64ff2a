// The image, built from the Dockerfile and run by Podman without privileges and on a read-only file system.
import assert from "node:assert/strict";
import { lstatSync, readdirSync } from "node:fs";
import { after, type TestContext } from "node:test";
import { z } from "zod";
import { type Result, resultSchema } from "../../../bench/result/schema.ts";
import { connectClient } from "../../support/client.ts";
import { read } from "../../support/deploy.ts";
import { scrape } from "../../support/echo-server.ts";
import { measureWithHarness } from "../../support/harness.ts";
import {
  baseImage,
  buildImage,
  type Container,
  containers,
  podman,
  restrictions,
  startContainer,
  tryPodman,
} from "../../support/image.ts";
import { toolTest } from "../../support/tools.ts";

const megabyte = 1e6;
/** Limit of the bytes that the image adds to its base; docs/deploying.md says how many it adds. */
const maxAddedBytes = 19.5 * megabyte;

const load = ["--connections", "8", "--duration", "1s", "--warmup", "200ms", "--verify", "full"];

const byName = z.record(z.string(), z.string());
const manifest = z
  .object({ version: z.string(), dependencies: byName, devDependencies: byName })
  .parse(JSON.parse(read("package.json")));

let image: string | undefined;
let failure: unknown;
let shared: Container | undefined;
const cleanups: (() => unknown)[] = [];
after(() => {
  for (const clean of cleanups) {
    clean();
  }
});

/** The image, built once for all tests, or failed once. */
function builtImage(): string {
  if (failure !== undefined) {
    throw failure;
  }
  try {
    image ??= buildImage();
  } catch (error) {
    failure = error;
    throw error;
  }
  return image;
}

/** A test of the image. */
function imageTest(name: string, body: (t: TestContext, built: string) => void | Promise<void>): void {
  toolTest(containers, name, (t) => body(t, builtImage()));
}

/** A test that reads from a container, which all of them share. */
function containerTest(name: string, body: (container: Container) => void | Promise<void>): void {
  imageTest(name, async (_t, built) => {
    shared ??= await startContainer({ after: (clean) => cleanups.push(clean) }, built);
    await body(shared);
  });
}

function assertEchoed({ received, lost, corrupt }: Result["messages"]): void {
  assert.ok(received > 0);
  assert.deepEqual([lost, corrupt], [0, 0]);
}

containerTest(
  "the server in the image is not root, has no capability and can get none",
  async (container) => {
    const status = podman("exec", container.id, "cat", "/proc/1/status");
    assert.match(status, /^Uid:\s+1000\s+1000\s+1000\s+1000$/m);
    assert.match(status, /^Gid:\s+1000\s+1000\s+1000\s+1000$/m);
    for (const set of ["Inh", "Prm", "Eff", "Bnd", "Amb"]) {
      assert.match(status, new RegExp(`^Cap${set}:\\s+0+$`, "m"));
    }
    assert.match(status, /^NoNewPrivs:\s+1$/m);
    assert.match(podman("exec", container.id, "cat", "/proc/1/cmdline"), /^node\0dist\/src\/cli\.js\0?$/);
  },
);

containerTest(
  "the server in the image lives with a file system that it cannot write to",
  async (container) => {
    for (const path of ["/x", "/app/x", "/tmp/x", "/home/node/x"]) {
      const { code, stderr } = tryPodman("exec", container.id, "touch", path);
      assert.equal(code, 1, path);
      assert.match(stderr, /Read-only file system/, path);
    }
  },
);

containerTest(
  "the server in the image sees its memory limit, and keeps a quarter of it for slow readers",
  async (container) => {
    const samples = await scrape(`http://${container.authority}/metrics`);
    assert.equal(samples["echo_limit_buffered_bytes"], (256 / 4) * 1024 * 1024);
    // One core of 100 ms in 100 ms, as version 1 or 2 of the control groups write it.
    const quota = tryPodman(
      ...["exec", container.id, "sh", "-c"],
      "cd /sys/fs/cgroup; cat cpu.max || cat cpu/cpu.cfs_quota_us",
    );
    assert.match(quota.stdout, /^100000( 100000)?\n$/);
  },
);

imageTest(
  "the health check of the image passes while the server answers, and fails once it does not",
  async (t, built) => {
    const container = await startContainer(t, built);
    const healthy = tryPodman("healthcheck", "run", container.id);
    assert.equal(healthy.code, 0, healthy.stderr);
    podman("kill", "--signal", "STOP", container.id);
    const unhealthy = tryPodman("healthcheck", "run", container.id);
    podman("kill", "--signal", "CONT", container.id);
    assert.equal(unhealthy.code, 1, unhealthy.stderr);
  },
);

imageTest("the health check of the image uses the port from the variables", async (t, built) => {
  // A flag it cannot see: the server listens elsewhere than the variable says.
  const elsewhere = await startContainer(t, built, {}, ["--port", "0"]);
  assert.equal(tryPodman("healthcheck", "run", elsewhere.id).code, 1);
});

containerTest(
  "the harness outside echoes through the image, and every byte comes back",
  async (container) => {
    const { messages } = await measureWithHarness(`ws://${container.authority}/echo`, load);
    assertEchoed(messages);
    const samples = await scrape(`http://${container.authority}/metrics`);
    assert.ok((samples['echo_messages_received_total{type="binary"}'] ?? 0) >= messages.received);
  },
);

containerTest(
  "the harness in the image measures, with no more privileges than the server",
  async (container) => {
    const command = ["dist/bench/cli.js", "run", `ws://${container.authority}/echo`, "--json", ...load];
    const stdout = podman("run", "--rm", ...restrictions, "--entrypoint", "node", builtImage(), ...command);
    assertEchoed(resultSchema.parse(JSON.parse(stdout)).messages);
  },
);

imageTest("the image stops on SIGTERM: clients get 1001, and the exit code is 0", async (t, built) => {
  const container = await startContainer(t, built);
  const client = await connectClient(t, `ws://${container.authority}/echo`);
  client.ws.send("hello");
  assert.equal((await client.next()).data.toString(), "hello");
  // After 15 s Podman would kill it, and the exit code would be 137.
  podman("stop", "--time", "15", container.id);
  assert.equal((await client.closed).code, 1001);
  assert.equal(podman("inspect", "--format", "{{.State.ExitCode}}", container.id), "0");
  assert.match(podman("logs", container.id), /"msg":"stopped"/);
});

imageTest(
  "the image takes options as variables, and refuses a wrong one with a sentence and exit code 2",
  async (t, built) => {
    const container = await startContainer(t, built, { UWS_ECHO_MAX_CONNECTIONS: "77" });
    const samples = await scrape(`http://${container.authority}/metrics`);
    assert.equal(samples["echo_limit_connections"], 77);
    const wrong = tryPodman("run", "--rm", ...restrictions, "--env", "UWS_ECHO_MAX_CONNECTIONS=many", built);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^uws-echo: UWS_ECHO_MAX_CONNECTIONS.*many/m);
  },
);

imageTest(
  "the image says which version it is, and gives the base's command to nobody as an argument",
  (_t, built) => {
    assert.equal(podman("run", "--rm", ...restrictions, built, "--version"), manifest.version);
    assert.equal(podman("inspect", "--format", "{{json .Config.Cmd}}", built), "null");
  },
);

imageTest(
  "the image holds the programs and what they need to run, within a budget, and nothing else",
  (t, built) => {
    const folder = `${podman("image", "mount", built)}/app`;
    t.after(() => podman("image", "unmount", built));
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
    const entries = files.map((path) => ({ path, stat: lstatSync(`${folder}/${path}`) }));

    const natives = files.filter((path) => path.endsWith(".node"));
    assert.equal(natives.length, 1, natives.join(" "));
    assert.deepEqual(readdirSync(folder).toSorted(), [
      "LICENSE",
      "dist",
      "node_modules",
      "package.json",
      "sbom.cdx.json",
    ]);
    assert.deepEqual(readdirSync(`${folder}/dist`).toSorted(), ["bench", "src", "web"]);
    const unwanted = /(^|\/)(tests?|\.git|\.github|\.npm|\.cache|_cacache)(\/|$)|\.(ts|mts|cts|map|tgz)$/;
    assert.deepEqual(
      files.filter((path) => unwanted.test(path)),
      [],
    );
    const installed = (name: string): boolean => files.includes(`node_modules/${name}`);
    assert.deepEqual(Object.keys(manifest.devDependencies).filter(installed), []);
    assert.ok(Object.keys(manifest.dependencies).every(installed));
    // Owned by root and writable by nobody else: the server cannot change its own code, even on a writable file system.
    const loose = entries.filter(
      ({ stat }) => !stat.isSymbolicLink() && (stat.uid !== 0 || (stat.mode & 0o6022) !== 0),
    );
    assert.deepEqual(
      loose.map(({ path }) => path),
      [],
    );

    const addedBytes = entries.reduce((sum, { stat }) => sum + (stat.isFile() ? stat.size : 0), 0);
    t.diagnostic(`the image adds ${(addedBytes / megabyte).toFixed(1)} megabyte to its base`);
    assert.ok(addedBytes < maxAddedBytes, `${addedBytes} bytes, and the budget is ${maxAddedBytes}`);
  },
);

imageTest("the image adds nothing to its base outside /app", (_t, built) => {
  const lists = z
    .record(z.string(), z.array(z.string()).nullable())
    .parse(JSON.parse(podman("diff", "--format", "json", built, baseImage)));
  const outside = Object.values(lists)
    .flatMap((paths) => paths ?? [])
    .filter((path) => path !== "/app" && !path.startsWith("/app/"));
  assert.deepEqual(outside, []);
  assert.ok((lists["added"] ?? []).includes("/app/package.json"));
});
