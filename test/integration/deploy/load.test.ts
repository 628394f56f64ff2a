// deploy/kubernetes/load.sh from its start to the merged Result. The cluster is a stand-in (test/support/kubectl.ts), its pods
// are real: processes that run the Job's own command line against a real server.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { checkSchema } from "../../../bench/result/check.ts";
import { idleSchema } from "../../../bench/result/idle.ts";
import { readResult } from "../../../bench/result/store.ts";
import { root } from "../../support/deploy.ts";
import { spawnServer } from "../../support/echo-server.ts";
import { parseManifests, schemaProblems } from "../../support/kubernetes.ts";
import { toolTest } from "../../support/tools.ts";
import { inTime, waitUntil } from "../../support/wait.ts";

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A folder with its own cluster, and load.sh in front of it.
 * @param withoutImage number of a pod that never starts
 */
function createCluster(t: TestContext, withoutImage = "") {
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-load-"));
  const cluster = join(folder, "cluster");
  const bin = join(folder, "bin");
  mkdirSync(cluster);
  mkdirSync(bin);
  const { stdout: real } = spawnSync("sh", ["-c", "command -v kubectl"], { encoding: "utf8" });
  const standIn = [process.execPath, "--import", "tsx", `${root}test/support/kubectl.ts`];
  writeFileSync(
    join(bin, "kubectl"),
    `#!/bin/sh\ncase $1 in kustomize | patch) exec '${real.trim()}' "$@" ;; esac\ncd '${root}' && exec '${standIn.join("' '")}' "$@"\n`,
    { mode: 0o755 },
  );
  const env = {
    ...process.env,
    PATH: [bin, process.env["PATH"]].join(delimiter),
    CLUSTER: cluster,
    WITHOUT_IMAGE: withoutImage,
    KUBECONFIG: "/dev/null", // Not the cluster of this machine's configuration.
  };
  t.after(() => {
    spawnSync("kubectl", ["end"], { env });
    rmSync(folder, { recursive: true });
  });

  function start(...args: readonly string[]) {
    const child = spawn(`${root}deploy/kubernetes/load.sh`, args, {
      cwd: folder,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => {
        output[stream] += text;
      });
    }
    const finished = new Promise<Finished>((resolve) => {
      child.once("close", (code) => resolve({ code, ...output }));
    });
    return { child, output, finished: inTime(finished, `load.sh ${args.join(" ")}`, 60_000) };
  }
  return { folder, cluster, start, load: (...args: readonly string[]) => start(...args).finished };
}

async function allPodsEnd(cluster: string): Promise<void> {
  for (const name of readdirSync(cluster).filter((each) => each.endsWith(".pid"))) {
    const pid = Number(readFileSync(join(cluster, name), "utf8"));
    await waitUntil(() => !existsSync(`/proc/${pid}/exe`), `pod ${name} has ended`);
  }
}

/** Enough for the stand-in of kubectl to write the time, on a busy machine. */
const lead = ["-s", "8"];
const brief = ["-d", "1s", "-w", "200ms", "-c", "4"];

describe("load.sh", { concurrency: true }, () => {
  toolTest(
    "kubectl",
    "starts four generators at once, and merges what each wrote to its log into one Result",
    async (t) => {
      const { authority } = await spawnServer(t);
      const { folder, cluster, load } = createCluster(t);
      const label = 'a "label" of \\ many $HOME words';
      const { code, stdout, stderr } = await load(
        ...[
          ...lead,
          "-d",
          "7200",
          "-i",
          "registry.example.com/echo:1",
          "-o",
          "merged.json",
          "run",
          `ws://${authority}/echo`,
          ...brief,
        ],
        ...["--label", label, "--threshold", "lost==0"],
      );
      assert.equal(code, 0, stderr);
      assert.match(stderr, /4 generators connect, for 300 s at most.*4 generators start together in 8 s/s);
      assert.match(stderr, /^Result: merged\.json$/m);
      assert.match(stdout, /messages\/s/);

      const result = readResult(join(folder, "merged.json"));
      assert.equal(result.scenario.generators, 4);
      assert.deepEqual(result.connections, { requested: 16, opened: 16, failed: 0, closedEarly: 0 });
      assert.deepEqual([result.messages.lost, result.messages.corrupt], [0, 0]);
      assert.equal(result.label, label, "quotes, spaces and dollars arrive as they were typed");
      assert.deepEqual(result.thresholds, [{ expression: "lost==0", actual: 0, unit: null, passed: true }]);

      const log = readFileSync(join(folder, "merged.json.log"), "utf8");
      assert.equal(log.match(/^\[pod\/\S+\/generator\] \{"kind":"uws-echo-bench\/result"/gm)?.length, 4);
      const manifest = readFileSync(join(cluster, "job.yaml"), "utf8");
      assert.deepEqual(await schemaProblems(parseManifests(manifest)), []);
      assert.match(manifest, /^ {2}activeDeadlineSeconds: 7200$/m);
      assert.match(manifest, /image: registry\.example\.com\/echo:1$/m);
      const again = await load("-o", "merged.json", "run", "ws://127.0.0.1:9/");
      assert.equal(again.code, 2);
      assert.match(again.stderr, /merged\.json already exists/);
    },
  );

  toolTest(
    "kubectl",
    "also merges Results that are not acceptable, and passes their exit code on",
    async (t) => {
      const { authority } = await spawnServer(t);
      const { folder, load } = createCluster(t);
      const { code, stdout, stderr } = await load(
        ...["-g", "2", "-T", ...lead, "-o", "slow.json", "run", `ws://${authority}/echo`, ...brief],
        ...["--threshold", "rate>100m"],
      );
      assert.equal(code, 1, stderr);
      assert.match(stdout, /NOT ACCEPTABLE: threshold rate>100m was not met/);
      const { scenario, connections } = readResult(join(folder, "slow.json"));
      assert.equal(scenario.generators, 2);
      assert.equal(connections.requested, 4, "with -T, all generators together have so many");
    },
  );

  toolTest("kubectl", "keeps a report of each generator where reports are not merged", async (t) => {
    const { authority } = await spawnServer(t);
    const { folder, load } = createCluster(t);
    const { code, stderr } = await load(
      ...["-g", "2", "-T", ...lead, "-o", "idle.json", "idle", `ws://${authority}/echo`],
      ...["--steps", "2,4,6,8", "--hold", "1s", "--connect-rate", "100"],
    );
    assert.equal(code, 0, stderr);
    for (const name of ["idle.json.1", "idle.json.2"]) {
      const report = idleSchema.parse(JSON.parse(readFileSync(join(folder, name), "utf8")));
      assert.equal(report.connections.opened, 4, "with -T, all generators together have 8");
    }
    assert.equal(existsSync(join(folder, "idle.json.all")), false);
  });

  toolTest("kubectl", "runs a check in one pod, and brings its report back", async (t) => {
    const { authority } = await spawnServer(t);
    const { folder, load } = createCluster(t);
    const { code, stdout, stderr } = await load(
      ...["-o", "check.json", "check", `ws://${authority}/echo`, "--idle", "500ms"],
    );
    assert.match(stderr, /one pod runs check/);
    const report = checkSchema.parse(JSON.parse(readFileSync(join(folder, "check.json"), "utf8")));
    assert.equal(code, report.failures.length === 0 ? 0 : 1, stderr);
    assert.match(stdout, /Handshake/);
  });

  toolTest(
    "kubectl",
    "says what the generators said when they fail, keeps it, and merges nothing",
    async (t) => {
      const { folder, load } = createCluster(t);
      const { code, stderr } = await load(
        "-g",
        "2",
        "-o",
        "none.json",
        "run",
        "ws://127.0.0.1:9/",
        "-c",
        "none",
      );
      assert.equal(code, 3);
      assert.match(stderr, /a generator failed/);
      assert.match(stderr, /^\[pod\/uws-echo-load-\d+-\d-x7k2p\/generator\] error: --connections: /m);
      assert.deepEqual(
        [existsSync(join(folder, "none.json")), existsSync(join(folder, "none.json.log"))],
        [false, true],
      );
    },
  );

  toolTest("kubectl", "names the pods that are not ready in time, and ends all", async (t) => {
    const { authority } = await spawnServer(t);
    const { cluster, folder, load } = createCluster(t, "1");
    const { code, stderr } = await load(
      ...["-g", "2", "-l", "1", "-o", "none.json", "run", `ws://${authority}/echo`],
    );
    assert.equal(code, 3);
    assert.match(stderr, /after \d+ s, [01] of 2 generators are ready; nothing was measured/);
    assert.match(
      stderr,
      /^ {2}uws-echo-load-\d+-1-x7k2p: Pending, ErrImagePull pull access denied for uws-echo$/m,
    );
    assert.equal(existsSync(join(folder, "none.json")), false);
    await allPodsEnd(cluster);
  });

  toolTest("kubectl", "ends the generators when it is interrupted", async (t) => {
    const { authority } = await spawnServer(t);
    const { cluster, start } = createCluster(t);
    const { child, output, finished } = start("-g", "2", "-s", "600", "run", `ws://${authority}/echo`);
    await waitUntil(() => output.stderr.includes("start together in 600 s"), "load.sh waits", 40_000);
    child.kill("SIGTERM");
    assert.equal((await finished).code, 130);
    await allPodsEnd(cluster);
  });

  test("refuses invalid options before it contacts the cluster", async (t) => {
    const { cluster, load } = createCluster(t);
    const refused: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /^usage: load\.sh/],
      [["-x"], /usage: load\.sh/],
      [["-g", "1", "run", "ws://x/"], /-g 1: must be a whole number from 2/],
      [["-g", "many", "idle", "ws://x/"], /-g many/],
      [["ws://x/"], /^usage: load\.sh/],
      [["ws://x/", "-c", "4"], /ws:\/\/x\/: must be run, http, .*, followed by the URL/],
      [["drain", "ws://x/"], /drain: a pod can neither signal/],
      [["sweep", "ws://x/"], /sweep: its folder of Results would be lost/],
      [["-T", "check", "ws://x/"], /-g and -T: check is one client by nature/],
      [["-l", "soon", "run", "ws://x/"], /-l soon: must be a whole number of seconds from 1 to 3000/],
      [["-l", "4000", "run", "ws://x/"], /-l 4000: must be a whole number of seconds from 1 to 3000/],
      [["-d", "700000", "run", "ws://x/"], /-d 700000: must be a whole number of seconds from 1 to 604800/],
      [["-d", "9999999999999999999", "run", "ws://x/"], /-d 9{19}: must be/],
      [["-s", "0", "run", "ws://x/"], /-s 0: must be a whole number of seconds from 1 to 600/],
    ];
    for (const [args, expected] of refused) {
      const { code, stderr } = await load(...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, expected);
    }
    assert.deepEqual(readdirSync(cluster), []);
  });
});
