// Renders deploy/kubernetes with kubectl, and checks it against the Kubernetes schemas without a cluster.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { root } from "./deploy.ts";

const manifestSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** The manifests that `kubectl kustomize` prints for a folder, in the order of a kind's name. */
export function renderKustomization(folder: string): Manifest[] {
  const { status, stdout, stderr } = spawnSync("kubectl", ["kustomize", folder], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) {
    throw new Error(`kubectl kustomize ${folder}: ${stderr}`);
  }
  return parseManifests(stdout);
}

/** The manifests of a YAML text. */
export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) {
      throw new Error(document.errors.map(String).join("\n"));
    }
    return manifestSchema.parse(document.toJS());
  });
}

/** Packages with the schemas of API groups that are not Kubernetes' own. */
const packages: readonly (readonly [string, string])[] = [
  ["monitoring.coreos.com/", "@kubernetes-models/prometheus-operator"],
  ["cert-manager.io/", "@kubernetes-models/cert-manager"],
];

/** The package with the schemas of an API group. */
function packageOf({ apiVersion }: Manifest): string {
  const [, name = "kubernetes-models"] = packages.find(([group]) => apiVersion.startsWith(group)) ?? [];
  return `${name}/${apiVersion}`;
}

/**
 * The problems of manifests: by the JSON schemas of their kinds (values), and by the TypeScript types generated from them
 * (unknown fields, which Kubernetes' schemas accept). One text for each problem.
 */
export async function schemaProblems(manifests: readonly Manifest[]): Promise<string[]> {
  const problems: string[] = [];
  for (const manifest of manifests) {
    const models: Record<string, new (data: unknown) => { validate(): void }> = await import(
      packageOf(manifest)
    );
    const model = models[manifest.kind];
    try {
      if (model === undefined) {
        throw new Error(`${manifest.apiVersion} has no kind ${manifest.kind}`);
      }
      new model(manifest).validate();
    } catch (error) {
      problems.push(`${manifest.kind} ${manifest.metadata.name}: ${(error as Error).message}`);
    }
  }
  return [...problems, ...typeProblems(manifests)];
}

/** Compiles each manifest as a literal of its type: the compiler refuses unknown fields at every depth. */
function typeProblems(manifests: readonly Manifest[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-manifests-"));
  try {
    const lines = manifests.map(
      (manifest, i) =>
        `export const manifest${i}: import("${packageOf(manifest)}").I${manifest.kind} = ${JSON.stringify(manifest)};`,
    );
    writeFileSync(join(folder, "manifests.ts"), lines.join("\n"));
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          ...{ strict: true, noEmit: true, skipLibCheck: true, types: [], target: "es2022" },
          ...{ module: "esnext", moduleResolution: "bundler", paths: { "*": [`${root}node_modules/*`] } },
        },
        files: ["manifests.ts"],
      }),
    );
    const { status, stdout } = spawnSync(
      process.execPath,
      [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"],
      { encoding: "utf8" },
    );
    const problems = stdout.split("\n").flatMap((line) => {
      const [, number, text] = /manifests\.ts\((\d+),\d+\): error (.*)$/.exec(line) ?? [];
      const manifest = manifests[Number(number) - 1];
      return manifest === undefined ? [] : [`${manifest.kind} ${manifest.metadata.name}: ${text}`];
    });
    if (status !== 0 && problems.length === 0) {
      throw new Error(`tsc ended with ${status}: ${stdout}`);
    }
    return problems;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
