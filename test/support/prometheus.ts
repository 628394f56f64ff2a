// Starts a real Prometheus with the shipped configuration, and calls its HTTP API.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { read, root } from "./deploy.ts";
import type { Cleanup } from "./echo-server.ts";
import { freePort } from "./free-port.ts";
import { waitUntil } from "./wait.ts";

/** One series of an instant vector. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Prometheus {
  /** Runs a PromQL query; fails with Prometheus's error. */
  query(expr: string): Promise<Series[]>;
  /** The value of an expression that has one series at most. */
  value(expr: string): Promise<number | undefined>;
  /** The alerts that are pending or firing. */
  alerts(): Promise<{ labels: Record<string, string>; state: string }[]>;
  /** Every loaded rule, with the outcome of its last evaluation. */
  rules(): Promise<{ name: string; health: string; lastError?: string | undefined }[]>;
}

const vector = z.object({
  resultType: z.literal("vector"),
  result: z.array(
    z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
  ),
});
const alertList = z.object({
  alerts: z.array(z.object({ labels: z.record(z.string(), z.string()), state: z.string() })),
});
const ruleGroups = z.object({
  groups: z.array(
    z.object({
      rules: z.array(z.object({ name: z.string(), health: z.string(), lastError: z.string().optional() })),
    }),
  ),
});

/**
 * The shipped configuration with other addresses and a shorter interval, because a test does not wait a quarter of a
 * minute for each sample.
 */
function configure(target: string, own: string): string {
  let config = read("deploy/prometheus/prometheus.yml");
  for (const [shipped, here] of [
    ["echo:9999", target],
    ["localhost:9090", own],
    ["15s", "250ms"],
  ] as const) {
    if (!config.includes(shipped)) {
      throw new Error(`prometheus.yml does not say ${shipped}`);
    }
    config = config.replaceAll(shipped, here);
  }
  return config;
}

/** Starts Prometheus on a free port of 127.0.0.1; it scrapes `target` (`host:port`) until the test ends. */
export async function startPrometheus(t: Cleanup, target: string): Promise<Prometheus> {
  const own = `127.0.0.1:${await freePort()}`;
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-prometheus-"));
  cpSync(`${root}deploy/prometheus`, folder, { recursive: true });
  writeFileSync(join(folder, "prometheus.yml"), configure(target, own));
  const child = spawn(
    "prometheus",
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${own}`,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const exited = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true });
  });
  const isReady = (): Promise<boolean> =>
    fetch(`http://${own}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitUntil(() => child.exitCode !== null || isReady(), "Prometheus to be ready", 30_000);
  if (child.exitCode !== null) {
    throw new Error(`Prometheus ended with ${child.exitCode}\n${log}`);
  }
  return askAt(`http://${own}/api/v1`);
}

function askAt(api: string): Prometheus {
  async function ask(path: string): Promise<unknown> {
    const answer = z
      .object({ error: z.string().optional(), data: z.unknown() })
      .parse(await (await fetch(`${api}${path}`)).json());
    if (answer.error !== undefined) {
      throw new Error(`${answer.error}: ${decodeURIComponent(path)}`);
    }
    return answer.data;
  }
  const query = async (expr: string): Promise<Series[]> => {
    const { result } = vector.parse(await ask(`/query?query=${encodeURIComponent(expr)}`));
    return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  };
  return {
    query,
    value: async (expr) => {
      const series = await query(expr);
      if (series.length > 1) {
        throw new Error(`${series.length} series: ${expr}`);
      }
      return series[0]?.value;
    },
    alerts: async () => alertList.parse(await ask("/alerts")).alerts,
    rules: async () => ruleGroups.parse(await ask("/rules")).groups.flatMap(({ rules }) => rules),
  };
}
