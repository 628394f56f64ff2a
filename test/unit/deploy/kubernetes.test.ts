// Compares the manifests that kubectl renders from deploy/kubernetes with each other and with the server. For files and
// schemas, see kubernetes-schemas.test.ts.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe } from "node:test";
import { parseEnv } from "node:util";
import { z } from "zod";
import type { Config } from "../../../src/config/options.ts";
import { resolveConfig, unknownVariables, variableName } from "../../../src/config/resolve.ts";
import { routes } from "../../../src/metrics/counters.ts";
import { read } from "../../support/deploy.ts";
import { type Manifest, renderKustomization } from "../../support/kubernetes.ts";
import { toolTest } from "../../support/tools.ts";

const folder = "deploy/kubernetes";
/** Those that run the server; the others add something to a server that runs. */
const servers = ["base", "overlays/ingress", "overlays/public"];

const rendered = new Map<string, Manifest[]>();
function manifestsOf(name: string): Manifest[] {
  const manifests = rendered.get(name) ?? renderKustomization(`${folder}/${name}`);
  rendered.set(name, manifests);
  return manifests;
}

/** The one manifest of a kind in a kustomization, as far as `shape` knows it. */
function one<T extends z.ZodType>(name: string, kind: string, shape: T): z.infer<T> {
  const found = manifestsOf(name).filter((manifest) => manifest.kind === kind);
  assert.equal(found.length, 1, `${name} has one ${kind}`);
  const { data, error } = shape.safeParse(found[0]);
  assert.ok(data !== undefined, `${name}, ${kind}:\n${error && z.prettifyError(error)}`);
  return data;
}

const labels = z.record(z.string(), z.string());
const probe = z.object({
  httpGet: z.object({ path: z.string(), port: z.string() }),
  periodSeconds: z.number(),
  timeoutSeconds: z.number().default(1),
  failureThreshold: z.number().default(3),
});
const podTemplate = z.object({
  metadata: z.object({ labels, annotations: labels.default({}) }),
  spec: z.object({
    terminationGracePeriodSeconds: z.number(),
    topologySpreadConstraints: z.array(z.object({ labelSelector: z.object({ matchLabels: labels }) })),
    securityContext: z.object({ runAsUser: z.number() }),
    containers: z
      .array(
        z.object({
          image: z.string(),
          command: z.array(z.string()).optional(),
          args: z.array(z.string()).optional(),
          ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
          env: z.array(z.object({ name: z.string(), valueFrom: z.unknown() })).default([]),
          envFrom: z.array(z.object({ configMapRef: z.object({ name: z.string() }) })).default([]),
          startupProbe: probe.optional(),
          readinessProbe: probe.optional(),
          livenessProbe: probe.optional(),
          lifecycle: z.unknown().optional(),
          volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })).default([]),
        }),
      )
      .length(1),
  }),
});
const deployment = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    // An autoscaler's replicas would be set back by every apply.
    replicas: z.undefined().optional(),
    selector: z.object({ matchLabels: labels }),
    template: podTemplate,
  }),
});
const job = z.object({
  spec: z.object({
    completionMode: z.literal("Indexed"),
    completions: z.number(),
    parallelism: z.number(),
    backoffLimit: z.literal(0),
    template: podTemplate,
  }),
});

const deploymentOf = (name: string) => one(name, "Deployment", deployment);
const containerOf = (template: z.infer<typeof podTemplate>) => {
  const [container] = template.spec.containers;
  assert.ok(container);
  return container;
};

/** What the server makes of the ConfigMap of a kustomization. */
function configOf(name: string): Config {
  const { metadata, data } = one(
    name,
    "ConfigMap",
    z.object({ metadata: z.object({ name: z.string() }), data: labels }),
  );
  const reference = containerOf(deploymentOf(name).spec.template).envFrom[0]?.configMapRef.name;
  assert.equal(reference, metadata.name, "the Deployment reads the generated map, hash and all");
  assert.match(metadata.name, /^uws-echo-options-\w+$/);
  assert.deepEqual(unknownVariables(data), []);
  return resolveConfig({}, withoutFiles(data)).config;
}

/** Options without those that name files of a pod. */
function withoutFiles(data: Readonly<Record<string, string>>): Record<string, string> {
  const files = [variableName("tlsCert"), variableName("tlsKey")];
  return Object.fromEntries(Object.entries(data).filter(([key]) => !files.includes(key)));
}

describe("the server in Kubernetes", () => {
  for (const name of servers) {
    toolTest("kubectl", `${name}: each pod serves under its own name`, () => {
      assert.deepEqual(containerOf(deploymentOf(name).spec.template).env, [
        { name: variableName("instance"), valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      ]);
    });

    toolTest("kubectl", `${name}: every selector finds the server's pods`, () => {
      const { spec } = deploymentOf(name);
      const pod = spec.template.metadata.labels;
      const matchLabels = z.object({ matchLabels: labels });
      const selectors = [
        spec.selector.matchLabels,
        ...spec.template.spec.topologySpreadConstraints.map((each) => each.labelSelector.matchLabels),
        one(name, "Service", z.object({ spec: z.object({ selector: labels }) })).spec.selector,
        one(name, "PodDisruptionBudget", z.object({ spec: z.object({ selector: matchLabels }) })).spec
          .selector.matchLabels,
        one(name, "NetworkPolicy", z.object({ spec: z.object({ podSelector: matchLabels }) })).spec
          .podSelector.matchLabels,
        one("overlays/monitoring", "PodMonitor", z.object({ spec: z.object({ selector: matchLabels }) })).spec
          .selector.matchLabels,
      ];
      for (const selector of selectors) {
        assert.ok(Object.keys(selector).length > 0, "an empty selector finds everything");
        for (const [label, value] of Object.entries(selector)) {
          assert.equal(pod[label], value);
        }
      }
    });

    toolTest(
      "kubectl",
      `${name}: probes, scrapes and Services use routes and ports that the server opens`,
      () => {
        const { template } = deploymentOf(name).spec;
        const container = containerOf(template);
        const config = configOf(name);
        const ports = Object.fromEntries(container.ports.map((port) => [port.name, port.containerPort]));
        assert.deepEqual(ports, { echo: config.port, admin: config.adminPort });
        const { startupProbe, readinessProbe, livenessProbe } = container;
        assert.deepEqual(
          [startupProbe, readinessProbe, livenessProbe].map((each) => each?.httpGet),
          ["/livez", "/readyz", "/livez"].map((path) => ({ path, port: "admin" })),
        );
        const { annotations } = template.metadata;
        assert.equal(annotations["prometheus.io/port"], String(config.adminPort));
        const { podMetricsEndpoints } = one(
          "overlays/monitoring",
          "PodMonitor",
          z.object({
            spec: z.object({
              podMetricsEndpoints: z.array(z.object({ port: z.string(), path: z.string() })),
            }),
          }),
        ).spec;
        assert.deepEqual(
          podMetricsEndpoints.map(({ port, path }) => [port, path]),
          [["admin", annotations["prometheus.io/path"]]],
        );
        for (const path of ["/livez", "/readyz", "/metrics", annotations["prometheus.io/path"]]) {
          assert.ok(
            routes.some((route) => route === path),
            String(path),
          );
        }
        const service = one(
          name,
          "Service",
          z.object({ spec: z.object({ ports: z.array(z.object({ targetPort: z.string() })) }) }),
        );
        assert.deepEqual(
          service.spec.ports.map(({ targetPort }) => targetPort),
          ["echo"],
          "nothing of the admin port",
        );
      },
    );

    toolTest(
      "kubectl",
      `${name}: one mechanism covers what lags behind SIGTERM, and the pod is given the time for it`,
      () => {
        const { template } = deploymentOf(name).spec;
        const { lifecycle, readinessProbe } = containerOf(template);
        const { drainDelay, drainTimeout } = configOf(name);
        assert.equal(
          lifecycle,
          undefined,
          "a preStop would add to --drain-delay, which does the same and says so",
        );
        assert.ok(readinessProbe);
        // Both a probe of /readyz and a watcher of the pod's conditions see it within the delay.
        const { periodSeconds, failureThreshold } = readinessProbe;
        assert.ok(drainDelay >= periodSeconds * failureThreshold * 1000);
        // A supervisor gives workers that do not end by themselves 5 s more, and then kills them.
        const graceMs = template.spec.terminationGracePeriodSeconds * 1000;
        assert.ok(graceMs >= drainDelay + drainTimeout + 5000);
      },
    );
  }
});

toolTest("kubectl", "every pod runs as the image's own user", () => {
  const user = Number(/^USER (\d+):/m.exec(read("Dockerfile"))?.[1]);
  const templates = [
    ...servers.map((name) => deploymentOf(name).spec.template),
    one("overlays/load", "Job", job).spec.template,
  ];
  for (const { spec } of templates) {
    assert.equal(spec.securityContext.runAsUser, user);
  }
});

toolTest("kubectl", "server and generators run the same image, of this version", () => {
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(read("package.json")));
  for (const template of [
    deploymentOf("base").spec.template,
    one("overlays/load", "Job", job).spec.template,
  ]) {
    assert.equal(containerOf(template).image, `uws-echo:${version}`);
  }
});

toolTest(
  "kubectl",
  "the autoscaler goes up before pods are full, and down more slowly than a pod drains",
  () => {
    const { spec } = one(
      "overlays/autoscale",
      "HorizontalPodAutoscaler",
      z.object({
        spec: z.object({
          scaleTargetRef: z.object({ apiVersion: z.string(), kind: z.string(), name: z.string() }),
          minReplicas: z.number(),
          metrics: z.array(
            z.object({
              type: z.string(),
              pods: z.object({ target: z.object({ averageValue: z.coerce.number() }) }).optional(),
            }),
          ),
          behavior: z.object({
            scaleDown: z.object({
              stabilizationWindowSeconds: z.number(),
              policies: z.array(
                z.object({ type: z.literal("Pods"), value: z.literal(1), periodSeconds: z.number() }),
              ),
            }),
          }),
        }),
      }),
    );
    const server = deploymentOf("base");
    assert.deepEqual(spec.scaleTargetRef, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      name: server.metadata.name,
    });
    assert.ok(spec.minReplicas >= 2, "one can be lost");
    assert.deepEqual(
      spec.metrics.map(({ type }) => type),
      ["Resource", "Pods"],
    );
    assert.ok((spec.metrics[1]?.pods?.target.averageValue ?? 0) <= 0.8 * configOf("base").maxConnections);
    const { stabilizationWindowSeconds, policies } = spec.behavior.scaleDown;
    const graceSeconds = server.spec.template.spec.terminationGracePeriodSeconds;
    for (const { periodSeconds } of policies) {
      assert.ok(periodSeconds >= 5 * graceSeconds);
    }
    assert.ok(stabilizationWindowSeconds >= 300);
  },
);

toolTest(
  "kubectl",
  "the ingress leads to the Service, outlasts the server's pings, and is trusted with addresses",
  () => {
    const backend = z.object({
      service: z.object({ name: z.string(), port: z.object({ name: z.string() }) }),
    });
    const { metadata, spec } = one(
      "overlays/ingress",
      "Ingress",
      z.object({
        metadata: z.object({ annotations: labels }),
        spec: z.object({
          rules: z.array(z.object({ http: z.object({ paths: z.array(z.object({ backend })) }) })),
        }),
      }),
    );
    const service = one(
      "overlays/ingress",
      "Service",
      z.object({
        metadata: z.object({ name: z.string() }),
        spec: z.object({ ports: z.array(z.object({ name: z.string() })) }),
      }),
    );
    const { name } = service.metadata;
    for (const { http } of spec.rules) {
      for (const path of http.paths) {
        assert.equal(path.backend.service.name, name);
        assert.ok(service.spec.ports.some((port) => port.name === path.backend.service.port.name));
      }
    }
    assert.equal(metadata.annotations["nginx.org/websocket-services"], name);
    const timeouts = Object.entries(metadata.annotations).filter(([key]) =>
      /-(read|send)-timeout$/.test(key),
    );
    assert.equal(timeouts.length, 4);
    const config = configOf("overlays/ingress");
    for (const [key, value] of timeouts) {
      assert.ok(Number.parseInt(value, 10) * 1000 > config.idleTimeout, key);
    }
    assert.ok(config.trustProxy.length > 0);
  },
);

describe("a public server", () => {
  const name = "overlays/public";

  toolTest("kubectl", "has the options of deploy/public, but for files, names and the shutdown", () => {
    const { data } = one(name, "ConfigMap", z.object({ data: labels }));
    const differing = ["tlsCert", "tlsKey", "instance", "workers", "drainDelay", "drainSpread"] as const;
    const others = new Set(differing.map(variableName));
    const rest = (options: Readonly<Record<string, string | undefined>>) =>
      Object.fromEntries(Object.entries(options).filter(([key]) => !others.has(key)));
    assert.deepEqual(rest(data), rest(parseEnv(read("deploy/public/options.env"))));
  });

  toolTest("kubectl", "reads the certificate that cert-manager writes, as the group that may", () => {
    const { secretName } = one(
      name,
      "Certificate",
      z.object({ spec: z.object({ secretName: z.string() }) }),
    ).spec;
    const volume = z.object({
      name: z.string(),
      secret: z.object({ secretName: z.string(), defaultMode: z.literal(0o440) }),
    });
    const mount = z.object({ name: z.string(), mountPath: z.string(), readOnly: z.literal(true) });
    const { spec } = one(
      name,
      "Deployment",
      z.object({
        spec: z.object({
          template: z.object({
            spec: z.object({
              securityContext: z.object({ fsGroup: z.number(), runAsGroup: z.number() }),
              volumes: z.array(volume).length(1),
              containers: z.array(z.object({ volumeMounts: z.array(mount).length(1) })),
            }),
          }),
        }),
      }),
    ).spec.template;
    assert.equal(spec.securityContext.fsGroup, spec.securityContext.runAsGroup);
    assert.equal(spec.volumes[0]?.secret.secretName, secretName);
    const [mounted] = spec.containers[0]?.volumeMounts ?? [];
    assert.equal(mounted?.name, spec.volumes[0]?.name);
    const { data } = one(name, "ConfigMap", z.object({ data: labels }));
    // cert-manager's names in the Secret.
    assert.equal(data[variableName("tlsCert")], `${mounted?.mountPath}/tls.crt`);
    assert.equal(data[variableName("tlsKey")], `${mounted?.mountPath}/tls.key`);
  });

  toolTest("kubectl", "shows clients only port 443, and keeps their addresses", () => {
    const { spec } = one(
      name,
      "Service",
      z.object({
        spec: z.object({
          type: z.string(),
          externalTrafficPolicy: z.string(),
          ports: z.array(z.object({ port: z.number(), targetPort: z.string() })),
        }),
      }),
    );
    assert.deepEqual(spec.ports, [{ port: 443, targetPort: "echo" }]);
    assert.deepEqual([spec.type, spec.externalTrafficPolicy], ["LoadBalancer", "Local"]);
    const rule = z.object({
      from: z.array(z.unknown()).optional(),
      ports: z.array(z.object({ port: z.string() })),
    });
    const policy = one(
      name,
      "NetworkPolicy",
      z.object({ spec: z.object({ ingress: z.array(rule), egress: z.array(z.unknown()) }) }),
    ).spec;
    const open = policy.ingress.filter(({ from }) => from === undefined);
    assert.deepEqual(
      open.flatMap(({ ports }) => ports.map(({ port }) => port)),
      ["echo"],
    );
    assert.deepEqual(policy.egress, []);
  });
});

toolTest("kubectl", "generators are scraped at the port that they serve their metrics on", () => {
  const { template } = one("overlays/load", "Job", job).spec;
  const { ports, args = [] } = containerOf(template);
  const served = args[args.indexOf("--metrics-port") + 1];
  const { spec } = one(
    "overlays/load-monitoring",
    "PodMonitor",
    z.object({
      spec: z.object({
        selector: z.object({ matchLabels: labels }),
        podMetricsEndpoints: z.array(z.object({ port: z.string(), path: z.literal("/metrics") })).length(1),
      }),
    }),
  );
  assert.deepEqual(
    ports.map(({ name, containerPort }) => [name, String(containerPort)]),
    [[spec.podMetricsEndpoints[0]?.port, served]],
  );
  for (const [label, value] of Object.entries(spec.selector.matchLabels)) {
    assert.equal(template.metadata.labels[label], value);
  }
});

toolTest("kubectl", "generators may read the metrics of every replica, at the server's own port", () => {
  const name = "overlays/replicas";
  const server = deploymentOf("base").spec.template;
  const generator = one("overlays/load", "Job", job).spec.template;
  const { spec: service } = one(
    name,
    "Service",
    z.object({
      spec: z.object({
        clusterIP: z.literal("None"),
        selector: labels,
        ports: z.array(z.object({ port: z.number(), targetPort: z.string() })).length(1),
      }),
    }),
  );
  const matchLabels = z.object({ matchLabels: labels });
  const from = z.array(z.strictObject({ podSelector: matchLabels })).length(1);
  const { spec: policy } = one(
    name,
    "NetworkPolicy",
    z.object({
      spec: z.object({
        podSelector: matchLabels,
        ingress: z.array(z.object({ from, ports: z.tuple([z.object({ port: z.string() })]) })).length(1),
      }),
    }),
  );
  const [rule] = policy.ingress;
  assert.ok(rule !== undefined);
  const [port] = service.ports;
  const ofServer = containerOf(server).ports.find((each) => each.name === rule.ports[0].port);
  assert.deepEqual([port?.port, port?.targetPort], [ofServer?.containerPort, ofServer?.name]);
  const picks = [
    [service.selector, server],
    [policy.podSelector.matchLabels, server],
    [rule.from[0]?.podSelector.matchLabels ?? {}, generator],
  ] as const;
  for (const [selector, { metadata }] of picks) {
    assert.ok(Object.keys(selector).length > 0, "an empty selector finds everything");
    for (const [label, value] of Object.entries(selector)) {
      assert.equal(metadata.labels[label], value);
    }
  }
});

toolTest(
  "kubectl",
  "generators can write the checkpoints of soak, on a file system that is read-only",
  () => {
    const { volumeMounts } = containerOf(one("overlays/load", "Job", job).spec.template);
    const workingDirectory = [...read("Dockerfile").matchAll(/^WORKDIR (.+)$/gm)].at(-1)?.[1];
    assert.equal(
      volumeMounts.find(({ name }) => name === "checkpoints")?.mountPath,
      `${workingDirectory}/uws-echo-bench-results`,
    );
  },
);

toolTest("kubectl", "the generators' exit codes: 1 is a Result all the same, others end the Job", () => {
  const { spec } = one("overlays/load", "Job", job);
  assert.equal(spec.completions, spec.parallelism);
  const [shell = "", ...rest] = containerOf(spec.template).command ?? [];
  for (const [code, expected] of [
    [0, 0],
    [1, 0],
    [2, 1],
    [3, 1],
  ]) {
    // The container's own command line, with a function in the place of the harness.
    const [flag = "", script = "", ...more] = rest;
    const { status } = spawnSync(shell, [flag, `node() { return ${code}; }; ${script}`, ...more]);
    assert.equal(status, expected, `exit code ${code}`);
  }
});
