// What deploy/ tells the server, held against its table of options, and what shutdown needs against what it is given.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { Command } from "commander";
import { z } from "zod";
import { addMergeCommand } from "../../../bench/commands/merge.ts";
import { addRunCommand } from "../../../bench/commands/run.ts";
import { flagName, optionNames, resolveConfig, unknownVariables } from "../../../src/config.ts";
import type { Config } from "../../../src/options.ts";
import { routes } from "../../../src/stats.ts";
import { parseDuration } from "../../../src/units.ts";
import { filesBelow, read, readVariables, readYaml } from "../../support/deploy.ts";

const base = "deploy/kubernetes/base";
const production = "deploy/kubernetes/overlays/production";

function settle(variables: Readonly<Record<string, string>>): Config {
  assert.ok(Object.keys(variables).length > 0);
  assert.deepEqual(unknownVariables(variables), []);
  return resolveConfig({}, variables).config;
}

// A supervisor gives workers that do not end by themselves 5 s more, and then kills them.
const endsWithinMs = (config: Config): number => config.drainDelay + config.drainTimeout + 5000;

const baseConfig = (): Config => settle(readVariables(`${base}/options.env`));
const productionConfig = (): Config =>
  settle({ ...readVariables(`${base}/options.env`), ...readVariables(`${production}/options.env`) });

const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) });
const podTemplate = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string().nullable()) }),
  spec: z.object({
    terminationGracePeriodSeconds: z.number(),
    securityContext: z.object({ runAsUser: z.number() }).optional(),
    containers: z.array(
      z.object({
        ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
        startupProbe: probe.optional(),
        readinessProbe: probe.optional(),
        livenessProbe: probe.optional(),
      }),
    ),
  }),
});
const pod = (folder: string): z.infer<typeof podTemplate> =>
  z.object({ spec: z.object({ template: podTemplate }) }).parse(readYaml(`${folder}/deployment.yaml`)).spec
    .template;

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
  for (const path of files) assert.ok(readYaml(path), path);
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
  // Of Docker Compose.
  const commands = new Set(["--build", "--profile"]);
  for (const path of filesBelow("deploy")) {
    for (const [flag] of read(path).matchAll(/(?<![\w-])--[a-z][a-z-]*/g))
      assert.ok(flags.has(flag) || commands.has(flag), `${path}: ${flag}`);
  }
});

test("Kubernetes gives the server longer to end than it may take", () => {
  for (const [config, folder] of [
    [baseConfig(), base],
    [productionConfig(), production],
  ] as const) {
    const graceMs = pod(folder).spec.terminationGracePeriodSeconds * 1000;
    assert.ok(config.drainDelay > 0, "load balancers need time to notice");
    assert.ok(endsWithinMs(config) <= graceMs, folder);
  }
});

test("Kubernetes probes and scrapes routes that exist, on the ports that the server opens", () => {
  const { metadata, spec } = pod(base);
  const [container] = spec.containers;
  assert.ok(container);
  const ports = Object.fromEntries(container.ports.map((port) => [port.name, port.containerPort]));
  const config = baseConfig();
  assert.deepEqual(ports, { echo: config.port, admin: config.adminPort });
  assert.deepEqual(
    [container.startupProbe, container.readinessProbe, container.livenessProbe].map((each) => each?.httpGet),
    [
      { path: "/livez", port: "admin" },
      { path: "/readyz", port: "admin" },
      { path: "/livez", port: "admin" },
    ],
  );
  assert.equal(metadata.annotations["prometheus.io/port"], String(config.adminPort));
  const paths = ["/livez", "/readyz", metadata.annotations["prometheus.io/path"]];
  for (const path of paths)
    assert.ok(
      routes.some((route) => route === path),
      String(path),
    );
});

test("each Kubernetes manifest is named in its kustomization, and each file named there exists", () => {
  const shape = z.object({
    resources: z.array(z.string()),
    configMapGenerator: z.array(z.object({ envs: z.array(z.string()) })),
    patches: z.array(z.object({ path: z.string() })).default([]),
  });
  for (const folder of [base, production]) {
    const { resources, configMapGenerator, patches } = shape.parse(readYaml(`${folder}/kustomization.yaml`));
    const named = [
      "kustomization.yaml",
      ...resources,
      ...configMapGenerator.flatMap((map) => map.envs),
      ...patches.map((patch) => patch.path),
    ];
    const own = named.filter((path) => !path.startsWith("../"));
    assert.deepEqual(own.map((path) => `${folder}/${path}`).toSorted(), filesBelow(folder).toSorted());
    for (const path of named)
      assert.ok(existsSync(new URL(`../../../${folder}/${path}`, import.meta.url)), path);
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
    for (const port of service.ports) assert.ok(port.startsWith("127.0.0.1:"), `${name}: ${port}`);
    for (const volume of service.volumes.filter((each) => each.startsWith("."))) {
      const path = volume.split(":")[0] ?? "";
      assert.ok(existsSync(new URL(`../../../deploy/compose/${path}`, import.meta.url)), volume);
    }
  }
});

test("image, Compose and Kubernetes run the server as the same user", () => {
  const user = /^USER (\d+):/m.exec(read("Dockerfile"))?.[1];
  assert.equal(compose.services["echo"]?.user, `${user}:${user}`);
  assert.equal(pod(base).spec.securityContext?.runAsUser, Number(user));
});
