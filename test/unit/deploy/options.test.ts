// Compares the options in deploy/ with the table of options. For Kubernetes, see kubernetes.test.ts.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { Command } from "commander";
import { z } from "zod";
import { addMergeCommand } from "../../../bench/commands/merge.ts";
import { addRunCommand } from "../../../bench/commands/run.ts";
import type { Config } from "../../../src/config/options.ts";
import { flagName, optionNames, resolveConfig, unknownVariables } from "../../../src/config/resolve.ts";
import { parseDuration } from "../../../src/lib/units.ts";
import { filesBelow, read, readYaml } from "../../support/deploy.ts";

function settle(variables: Readonly<Record<string, string>>): Config {
  assert.ok(Object.keys(variables).length > 0);
  assert.deepEqual(unknownVariables(variables), []);
  return resolveConfig({}, variables).config;
}

// A supervisor gives workers that do not end by themselves 5 s more, and then kills them.
const endsWithinMs = (config: Config): number => config.drainDelay + config.drainTimeout + 5000;

const compose = z
  .object({
    services: z.record(
      z.string(),
      z.object({
        environment: z.record(z.string(), z.string()).default({}),
        volumes: z.array(z.string()).default([]),
        ports: z.array(z.string()).default([]),
        stop_grace_period: z.string().optional(),
        user: z.string().optional(),
      }),
    ),
  })
  .parse(readYaml("deploy/compose/compose.yaml"));

test("every YAML file under deploy/ parses", () => {
  const files = filesBelow("deploy").filter((path) => /\.ya?ml$/.test(path));
  assert.ok(files.length > 10);
  for (const path of files) {
    assert.ok(readYaml(path), path);
  }
});

/** The flags of every command of the harness. */
function benchFlags(): string[] {
  const program = new Command();
  addRunCommand(program);
  addMergeCommand(program);
  return program.commands
    .flatMap(({ options }) => options.flatMap(({ long }) => [long ?? ""]))
    .concat("--help");
}

test("the flags that deploy/ and its comments name exist", () => {
  const flags = new Set([...optionNames.map(flagName), ...benchFlags()]);
  // Of Docker Compose, and of kubectl in load.sh.
  const others =
    "--build --detach --profile --namespace --local --filename --type --output --patch --wait --selector --prefix --tail";
  const commands = new Set(others.split(" "));
  for (const path of filesBelow("deploy")) {
    for (const [flag] of read(path).matchAll(/(?<![\w-])--[a-z][a-z-]*/g)) {
      assert.ok(flags.has(flag) || commands.has(flag), `${path}: ${flag}`);
    }
  }
});

test("Compose configures the server well, and gives it longer to end than it may take", () => {
  const echo = compose.services["echo"];
  assert.ok(echo);
  const config = settle(echo.environment);
  assert.ok(endsWithinMs(config) <= (parseDuration(echo.stop_grace_period ?? "") ?? 0));
  assert.deepEqual(echo.ports, [`127.0.0.1:${config.port}:${config.port}`]);
  const scraped = z
    .object({
      scrape_configs: z.array(
        z.object({
          job_name: z.string(),
          static_configs: z.array(z.object({ targets: z.array(z.string()) })),
        }),
      ),
    })
    .parse(readYaml("deploy/prometheus/prometheus.yml"))
    .scrape_configs.find((job) => job.job_name === "uws-echo");
  assert.deepEqual(scraped?.static_configs, [{ targets: [`echo:${config.adminPort}`] }]);
});

test("Compose mounts files that exist, and publishes nothing beyond this machine", () => {
  for (const [name, service] of Object.entries(compose.services)) {
    for (const port of service.ports) {
      assert.ok(port.startsWith("127.0.0.1:"), `${name}: ${port}`);
    }
    for (const volume of service.volumes.filter((each) => each.startsWith("."))) {
      const path = volume.split(":")[0] ?? "";
      assert.ok(existsSync(new URL(`../../../deploy/compose/${path}`, import.meta.url)), volume);
    }
  }
});

test("image and Compose run the server as the same user", () => {
  const user = /^USER (\d+):/m.exec(read("Dockerfile"))?.[1];
  assert.equal(compose.services["echo"]?.user, `${user}:${user}`);
});
