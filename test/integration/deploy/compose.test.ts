// deploy/compose: the file by Compose itself, and what its services run, run here as processes.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { z } from "zod";
import { type Result, resultSchema } from "../../../bench/result/schema.ts";
import { resolveConfig } from "../../../src/config/resolve.ts";
import { read, readYaml, root } from "../../support/deploy.ts";
import { spawnServer } from "../../support/echo-server.ts";
import { toolTest } from "../../support/tools.ts";

const file = "deploy/compose/compose.yaml";
const program = z
  .object({ bin: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read("package.json"))).bin;
const { services } = z
  .object({
    services: z.object({
      echo: z.object({ image: z.string(), environment: z.record(z.string(), z.string()) }),
      bench: z.object({
        image: z.string(),
        profiles: z.array(z.string()),
        entrypoint: z.array(z.string()),
        command: z.array(z.string()),
        restart: z.string(),
      }),
    }),
  })
  .parse(readYaml(file));

/** The output of docker-compose for a text in place of a file. */
function validate(path: string, text: string): { status: number | null; stderr: string } {
  return spawnSync("docker-compose", ["-f", "-", "config", "--quiet"], {
    cwd: `${root}${dirname(path)}`,
    input: text,
    encoding: "utf8",
  });
}

for (const path of [file, "deploy/public/compose.yaml"]) {
  toolTest(
    "docker-compose",
    `Compose accepts ${path}, and would not if it had a key that does not exist`,
    () => {
      const text = read(path);
      const { status, stderr } = validate(path, text);
      assert.equal(status, 0, stderr);
      const wrong = validate(path, text.replace("    read_only:", "    read_onli:"));
      assert.equal(wrong.status, 1);
      assert.match(wrong.stderr, /Unsupported config option for services\.echo: 'read_onli'/);
    },
  );
}

test("the harness comes with the server's image, only when asked for, and ends by itself", () => {
  const { bench, echo } = services;
  assert.equal(bench.image, echo.image);
  assert.deepEqual(bench.profiles, ["bench"]);
  assert.deepEqual(bench.entrypoint, ["node", program["uws-echo-bench"]]);
  assert.equal(bench.restart, "no");
});

test("the harness, started as in Compose against a server started as in Compose, loses nothing and reads its metrics", async (t) => {
  const { bench, echo } = services;
  const { config } = resolveConfig({}, echo.environment);
  const server = await spawnServer(t, ["--admin-port", "0", "--admin-host", "127.0.0.1"], {
    env: echo.environment,
  });
  const metrics = server.urls.find((url) => url.endsWith("/metrics"));
  assert.ok(metrics);
  const substitutions = [
    [`echo:${config.port}`, server.authority],
    [`echo:${config.adminPort}`, new URL(metrics).host],
    ["--duration=5m", "--duration=2s"],
  ] as const;
  const command = substitutions.reduce((changed, [there, here]) => {
    assert.ok(changed.includes(there), `the command has ${there}`);
    return changed.replace(there, here);
  }, bench.command.join(" "));

  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...bench.entrypoint.slice(1), ...command.split(" ")],
    { cwd: root, maxBuffer: 2 ** 26 },
  );
  const result: Result = resultSchema.parse(JSON.parse(stdout));
  assert.deepEqual([result.messages.lost, result.messages.corrupt, result.errors], [0, 0, {}]);
  assert.equal(result.connections.opened, 200);
  assert.equal(result.server?.source, "metrics");
  assert.ok(result.messages.received > 0);
});
