// deploy/kubernetes as files and as kubectl renders it, against the Kubernetes schemas. What it means: kubernetes.test.ts.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { describe, test } from "node:test";
import { z } from "zod";
import { filesBelow, read, readYaml, root } from "../../support/deploy.ts";
import {
  type Manifest,
  parseManifests,
  renderKustomization,
  schemaProblems,
} from "../../support/kubernetes.ts";
import { toolTest } from "../../support/tools.ts";

const folder = "deploy/kubernetes";
const kustomizations = [
  "base",
  "overlays/autoscale",
  "overlays/ingress",
  "overlays/load",
  "overlays/load-monitoring",
  "overlays/monitoring",
  "overlays/public",
  "overlays/replicas",
];

test("each file of deploy/kubernetes is named in its kustomization, or has a test of its own", () => {
  const shape = z.strictObject({
    apiVersion: z.literal("kustomize.config.k8s.io/v1beta1"),
    kind: z.literal("Kustomization"),
    // Only what kubectl 1.20 and a current one both read: no `labels`, `components`, `patches`, `envs`.
    bases: z.array(z.string()).optional(),
    resources: z.array(z.string()),
    patchesStrategicMerge: z.array(z.string()).default([]),
    configMapGenerator: z
      .array(
        z.strictObject({ name: z.string(), behavior: z.string().optional(), literals: z.array(z.string()) }),
      )
      .optional(),
    images: z.array(z.strictObject({ name: z.string(), newTag: z.string() })).optional(),
  });
  const known = kustomizations.flatMap((name) => {
    const { resources, patchesStrategicMerge } = shape.parse(
      readYaml(`${folder}/${name}/kustomization.yaml`),
    );
    return ["kustomization.yaml", ...resources, ...patchesStrategicMerge].map(
      (path) => `${folder}/${name}/${path}`,
    );
  });
  const others = [
    `${folder}/load.sh`, // test/integration/deploy/load.test.ts
    `${folder}/overlays/autoscale/prometheus-adapter.yaml`, // test/integration/deploy/autoscale.test.ts
  ];
  assert.deepEqual(filesBelow(folder).toSorted(), [...known, ...others].toSorted());
});

test("load.sh is valid for sh", () => {
  const { status, stderr } = spawnSync("sh", ["-n", `${root}${folder}/load.sh`], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
});

describe("the Kubernetes schemas", () => {
  toolTest("kubectl", "accept everything that kubectl renders", async () => {
    const all = kustomizations.flatMap((name) => renderKustomization(`${folder}/${name}`));
    assert.deepEqual(await schemaProblems(all), []);
  });

  toolTest(
    "kubectl",
    "accept the overlay that docs/deploying.md shows, with its image and options in place",
    async (t) => {
      const own = mkdtempSync(join(tmpdir(), "uws-echo-overlay-"));
      t.after(() => rmSync(own, { recursive: true }));
      const shown =
        /^### An overlay of your own\n+```yaml\n([\s\S]*?)^```$/m.exec(read("docs/deploying.md"))?.[1] ?? "";
      const here = shown.replaceAll("../uws-echo/", `${relative(own, root)}/`);
      writeFileSync(join(own, "kustomization.yaml"), here);
      const manifests = renderKustomization(own);
      assert.deepEqual(await schemaProblems(manifests), []);
      const kinds = manifests.map(({ kind }) => kind);
      for (const kind of ["Deployment", "Ingress", "HorizontalPodAutoscaler", "PodMonitor"]) {
        assert.ok(kinds.includes(kind), kind);
      }
      for (const { kind, metadata } of manifests) {
        assert.equal(metadata["namespace"], "uws-echo", kind);
      }
      const text = JSON.stringify(manifests);
      assert.match(text, /"image":"registry\.example\.com\/uws-echo:0\.1\.0"/);
      assert.match(text, /"UWS_ECHO_TRUST_PROXY":"10\.244\.0\.0\/16"/);
      assert.match(text, /"UWS_ECHO_DRAIN_DELAY":"5s"/);
    },
  );

  test("refuse a field that does not exist, a wrong type, a wrong value, a missing field and an unknown kind", async () => {
    const spoil = (path: string, from: string, to: string): Manifest[] => {
      const text = read(`${folder}/${path}`);
      assert.ok(text.includes(from), from);
      return parseManifests(text.replace(from, to)).map((manifest, _, all) => {
        assert.equal(all.length, 1);
        return manifest;
      });
    };
    const cases: readonly (readonly [Manifest[], RegExp])[] = [
      [spoil("base/deployment.yaml", "readinessProbe:", "readynessProbe:"), /readynessProbe/],
      [
        spoil("base/deployment.yaml", "periodSeconds: 10", "periodSeconds: 10s"),
        /periodSeconds must be integer/,
      ],
      [spoil("base/network-policy.yaml", "podSelector:", "podsSelector:"), /podSelector/],
      [spoil("overlays/load/job.yaml", "restartPolicy: Never", "restartPolicy: never"), /restartPolicy/],
      [
        spoil("overlays/autoscale/horizontal-pod-autoscaler.yaml", "averageValue: 700m", "averageUse: 700m"),
        /averageUse/,
      ],
      [
        spoil("overlays/monitoring/pod-monitor.yaml", "interval: 15s", "interval: 15 seconds"),
        /interval must match/,
      ],
      [spoil("overlays/monitoring/pod-monitor.yaml", "interval: 15s", "every: 15s"), /every/],
      [spoil("overlays/public/certificate.yaml", "dnsNames: [echo.example.com]", "dnsName: x"), /dnsName/],
      [spoil("overlays/public/certificate.yaml", "algorithm: ECDSA", "algorithm: DSA"), /algorithm/],
      [spoil("overlays/ingress/ingress.yaml", "pathType: Prefix", "pathTyp: Prefix"), /pathTyp/],
      [spoil("base/service.yaml", "kind: Service", "kind: Servise"), /has no kind Servise/],
    ];
    const problems = await schemaProblems(cases.flatMap(([manifests]) => manifests));
    for (const [, expected] of cases) {
      assert.ok(
        problems.some((problem) => expected.test(problem)),
        String(expected),
      );
    }
    assert.deepEqual(
      await schemaProblems(spoil("base/deployment.yaml", "readinessProbe:", "readinessProbe:")),
      [],
    );
  });
});
