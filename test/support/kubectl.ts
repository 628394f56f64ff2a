// A stand-in for a cluster, behind the kubectl commands of load.sh: a Job's pods are processes on this machine, with the
// command line of the manifest. `kustomize` and `patch --local` run the real kubectl.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parse } from "yaml";
import { z } from "zod";
import { root } from "./deploy.ts";

/** The folder of the Job's manifest, and of each pod's log, process id and exit code. */
const folder = z.string().parse(process.env["CLUSTER"]);

/** The number of a pod that never starts, because its image cannot be pulled. */
const withoutImage = process.env["WITHOUT_IMAGE"];

const startVolume = z.object({
  name: z.string(),
  downwardAPI: z.object({
    items: z.array(z.object({ path: z.string(), fieldRef: z.object({ fieldPath: z.string() }) })).length(1),
  }),
});

const job = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    completions: z.number(),
    template: z.object({
      spec: z.object({
        containers: z
          .array(
            z.object({
              name: z.string(),
              command: z.array(z.string()),
              args: z.array(z.string()),
              readinessProbe: z.object({
                httpGet: z.object({ path: z.string(), port: z.literal("metrics") }),
              }),
              volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
            }),
          )
          .length(1),
        volumes: z.tuple([startVolume], z.unknown()),
      }),
    }),
  }),
});

const manifestPath = join(folder, "job.yaml");
const readJob = (): z.infer<typeof job> => job.parse(parse(readFileSync(manifestPath, "utf8")));

/** Starts every pod; each writes its exit code when it ends. */
async function create(): Promise<void> {
  if (existsSync(manifestPath)) {
    throw new Error("the cluster has a Job already");
  }
  writeFileSync(manifestPath, await text(process.stdin));
  const { metadata, spec } = readJob();
  for (const { command: inPod, args, volumeMounts } of spec.template.spec.containers) {
    for (let index = 0; index < spec.completions; index += 1) {
      const pod = join(folder, String(index));
      // Pods have an address and a file system each; these processes share them.
      const own = args.map((arg, i) => {
        const mount = volumeMounts.find(({ mountPath }) => arg.startsWith(`@${mountPath}/`));
        const inVolume = mount === undefined ? arg : arg.replace(mount.mountPath, `${pod}.${mount.name}`);
        return args[i - 1] === "--metrics-port" ? "0" : inVolume;
      });
      project(index, "");
      if (String(index) === withoutImage) {
        continue;
      }
      const keep = '"$@" >"$POD.log" 2>&1; echo $? >"$POD.code.new"; mv "$POD.code.new" "$POD.code"';
      const child = spawn("sh", ["-c", keep, "sh", ...inPod, ...own], {
        cwd: root, // As in the image, dist/ is below the working directory.
        env: { ...process.env, POD: pod, JOB_COMPLETION_INDEX: String(index) },
        stdio: "ignore",
        detached: true,
      });
      child.unref();
      writeFileSync(`${pod}.pid`, String(child.pid));
    }
  }
  console.log(`job.batch/${metadata.name} created`);
}

/** Writes the annotation to the pod's volume, with one rename, as a kubelet does. It is empty until it is set. */
function project(index: number, value: string): void {
  const [{ name, downwardAPI }] = readJob().spec.template.spec.volumes;
  const volume = join(folder, `${index}.${name}`);
  mkdirSync(volume, { recursive: true });
  for (const { path } of downwardAPI.items) {
    writeFileSync(join(volume, "new"), value);
    renameSync(join(volume, "new"), join(volume, path));
  }
}

function annotate(annotation: string): void {
  const { spec } = readJob();
  const [key = "", value = ""] = annotation.split("=");
  const [{ downwardAPI }] = spec.template.spec.volumes;
  if (downwardAPI.items.some(({ fieldRef }) => fieldRef.fieldPath !== `metadata.annotations['${key}']`)) {
    throw new Error(`no volume shows the annotation ${key}`);
  }
  for (let index = 0; index < spec.completions; index += 1) {
    project(index, value);
  }
}

/** What the pod's readiness probe finds. */
async function isReady(index: number): Promise<boolean> {
  const path = readJob().spec.template.spec.containers[0]?.readinessProbe.httpGet.path ?? "";
  const log = join(folder, `${index}.log`);
  const [, url] = existsSync(log) ? (/^Metrics: (\S+)$/m.exec(readFileSync(log, "utf8")) ?? []) : [];
  if (url === undefined || existsSync(join(folder, `${index}.code`))) {
    return false;
  }
  return fetch(new URL(path, url), { signal: AbortSignal.timeout(1000) }).then(
    ({ status }) => status === 200,
    () => false,
  );
}

/** One line for each pod, as the template of load.sh has it. */
async function pods(): Promise<string> {
  const { metadata, spec } = readJob();
  const lines = Array.from({ length: spec.completions }, async (_, index) => {
    if (String(index) === withoutImage) {
      return `${metadata.name}-${index}-x7k2p ready=False Pending ErrImagePull pull access denied for uws-echo \n`;
    }
    const ready = (await isReady(index)) ? "True" : "False";
    return `${metadata.name}-${index}-x7k2p ready=${ready} Running   \n`;
  });
  return (await Promise.all(lines)).join("");
}

/** The conditions of the Job; newer controllers set the outcome twice, first before the last pod has ended. */
function conditions(): string {
  const codes = readdirSync(folder).filter((name) => name.endsWith(".code"));
  if (codes.some((name) => readFileSync(join(folder, name), "utf8").trim() !== "0")) {
    return "FailureTarget Failed";
  }
  return codes.length === readJob().spec.completions ? "SuccessCriteriaMet Complete" : "";
}

function logs(): string {
  const { metadata, spec } = readJob();
  const [container] = spec.template.spec.containers;
  return Array.from({ length: spec.completions }, (_, index) => {
    const path = join(folder, `${index}.log`);
    const log = existsSync(path) ? readFileSync(path, "utf8") : "";
    return log.replaceAll(/^(?=.)/gm, `[pod/${metadata.name}-${index}-x7k2p/${container?.name}] `);
  }).join("");
}

function end(): void {
  for (const name of readdirSync(folder).filter((each) => each.endsWith(".pid"))) {
    try {
      process.kill(-Number(readFileSync(join(folder, name), "utf8")), "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
        throw error;
      }
    }
  }
}

async function main(args: readonly string[]): Promise<void> {
  const line = args.join(" ");
  if (line === "end") {
    return end();
  }
  if (line === "create --filename -") {
    return create();
  }
  const { name } = readJob().metadata;
  if (line === `get job ${name} --output jsonpath={.status.conditions[*].type}`) {
    process.stdout.write(conditions());
  } else if (line === `logs --selector job-name=${name} --prefix --tail -1`) {
    process.stdout.write(logs());
  } else if (line.startsWith(`get pods --selector job-name=${name} --output jsonpath={range .items[*]}`)) {
    process.stdout.write(await pods());
  } else if (line.startsWith(`annotate pods --selector job-name=${name} `)) {
    annotate(args.at(-1) ?? "");
  } else if (line === `delete job ${name} --wait=false`) {
    end();
  } else {
    throw new Error(`this cluster does not support "kubectl ${line}"`);
  }
}

await main(process.argv.slice(2));
