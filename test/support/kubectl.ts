// A stand-in for a cluster, behind the kubectl commands of load.sh: a Job's pods are processes on this machine, with the
// command line of the manifest. `kustomize` and `patch --local` run the real kubectl.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parse } from "yaml";
import { z } from "zod";
import { root } from "./deploy.ts";

/** The folder of the Job's manifest, and of each pod's log, process id and exit code. */
const folder = z.string().parse(process.env["CLUSTER"]);

const job = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    completions: z.number(),
    template: z.object({
      spec: z.object({
        containers: z
          .array(z.object({ name: z.string(), command: z.array(z.string()), args: z.array(z.string()) }))
          .length(1),
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
  for (const { command: inPod, args } of spec.template.spec.containers) {
    // Pods have an address each; these processes share one.
    const own = args.map((arg, i) => (args[i - 1] === "--metrics-port" ? "0" : arg));
    for (let index = 0; index < spec.completions; index += 1) {
      const pod = join(folder, String(index));
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
    const log = readFileSync(join(folder, `${index}.log`), "utf8");
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
  } else if (line === `delete job ${name} --wait=false`) {
    end();
  } else {
    throw new Error(`this cluster does not support "kubectl ${line}"`);
  }
}

await main(process.argv.slice(2));
