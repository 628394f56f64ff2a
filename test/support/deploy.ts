// Reads the files of deploy/ and the Dockerfile, for tests that compare them with the server.
import { readdirSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

/** The project's root. */
export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** The text of a file, by its path from the root. */
export function read(path: string): string {
  return readFileSync(`${root}${path}`, "utf8");
}

/** Paths of all files below a folder, from the root. */
export function filesBelow(folder: string): string[] {
  return readdirSync(`${root}${folder}`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, `${entry.parentPath}/${entry.name}`));
}

/** The one document of a YAML file; fails on errors, warnings and duplicate keys. */
export function readYaml(path: string): unknown {
  const documents = parseAllDocuments(read(path));
  const problems = documents.flatMap((document) => [...document.errors, ...document.warnings]);
  if (problems.length > 0) {
    throw new Error(`${path}: ${problems.map(String).join("\n")}`);
  }
  if (documents.length !== 1) {
    throw new Error(`${path} has ${documents.length} documents`);
  }
  return documents[0]?.toJS();
}

const ruleFile = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          record: z.string().optional(),
          alert: z.string().optional(),
          expr: z.string(),
          labels: z.record(z.string(), z.string()).default({}),
          annotations: z.record(z.string(), z.string()).default({}),
        }),
      ),
    }),
  ),
});
export type Rule = z.infer<typeof ruleFile>["groups"][number]["rules"][number];

/** The recording and alerting rules. */
export function readRules(): Rule[] {
  return filesBelow("deploy/prometheus/rules").flatMap((path) =>
    ruleFile.parse(readYaml(path)).groups.flatMap((group) => group.rules),
  );
}

const dashboard = z.object({
  annotations: z.object({ list: z.array(z.object({ name: z.string(), expr: z.string() })) }),
  panels: z.array(
    z.object({
      id: z.number(),
      title: z.string(),
      type: z.string(),
      description: z.string().optional(),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      fieldConfig: z.object({ defaults: z.object({ unit: z.string().optional() }) }).optional(),
      targets: z
        .array(z.object({ refId: z.string(), expr: z.string(), legendFormat: z.string() }))
        .default([]),
    }),
  ),
});
export type Dashboard = z.infer<typeof dashboard>;

export function readDashboard(): Dashboard {
  return dashboard.parse(JSON.parse(read("deploy/grafana/dashboards/uws-echo.json")));
}
