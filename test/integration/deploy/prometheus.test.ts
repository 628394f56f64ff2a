// A real Prometheus under the shipped configuration, a built server, and load from the harness.
import assert from "node:assert/strict";
import {
  connectClient,
  connectSlowReader,
  flood,
  maskedFrame,
  refusedHandshake,
} from "../../support/client.ts";
import { readRules } from "../../support/deploy.ts";
import { scrape, spawnServer } from "../../support/echo-server.ts";
import { measureWithHarness } from "../../support/harness.ts";
import { type Prometheus, startPrometheus } from "../../support/prometheus.ts";
import { dashboardQueries, isOfLoad, runbookQueries } from "../../support/queries.ts";
import { toolTest } from "../../support/tools.ts";
import { waitUntil } from "../../support/wait.ts";

const windowSeconds = 300;
const payloadBytes = 100;
const maxConnections = 40;

/** The number of messages that the harness sent, all of them answered. */
async function load(url: string, metricsUrl: string): Promise<number> {
  const { messages } = await measureWithHarness(url, [
    ...["--connections", "8", "--rate", "1000", "--payload", String(payloadBytes)],
    ...["--duration", "2s", "--warmup", "0s", "--metrics-url", metricsUrl],
  ]);
  assert.equal(messages.lost, 0);
  assert.equal(messages.received, messages.sent);
  return messages.sent;
}

/** Waits until an expression has one series, with a value that will do, and returns that. */
async function waitForValue(
  prometheus: Prometheus,
  expr: string,
  suits: (value: number) => boolean,
): Promise<number> {
  let last: number | undefined;
  await waitUntil(async () => {
    last = await prometheus.value(expr);
    return last !== undefined && suits(last);
  }, expr).catch((error: unknown) => {
    throw new Error(`${expr} is ${last}`, { cause: error });
  });
  return last ?? Number.NaN;
}

const firing = async (prometheus: Prometheus): Promise<Record<string, string>[]> =>
  (await prometheus.alerts()).filter(({ state }) => state === "firing").map(({ labels }) => labels);

toolTest(
  "prometheus",
  "the shipped configuration records what a load did, alerts about dropped echoes, and answers every panel",
  async (t) => {
    const server = await spawnServer(t, [
      ...["--workers", "2", "--admin-port", "0", "--admin-host", "127.0.0.1"],
      ...["--max-connections", String(maxConnections), "--on-backpressure", "drop"],
      ...["--max-payload", "64KiB", "--max-backpressure", "64KiB"],
    ]);
    const echoUrl = `ws://${server.authority}/echo`;
    const metricsUrl = server.urls.find((url) => url.endsWith("/metrics")) ?? "";
    const target = new URL(metricsUrl).host;
    assert.notEqual(target, server.authority, "metrics are on the admin port, as in Compose");
    const prometheus = await startPrometheus(t, target);
    const ofTarget = (metric: string, more = ""): string =>
      `${metric}{job="uws-echo", instance="${target}"${more}}`;
    const recorded = (name: string, suits: (value: number) => boolean): Promise<number> =>
      waitForValue(prometheus, ofTarget(name), suits);

    await t.test("before any load, nothing is recorded as done and nothing fires", async () => {
      await recorded("job_instance:echo_messages_received:rate5m", (value) => value === 0);
      await recorded("up", (value) => value === 1);
      // Itself.
      await waitForValue(prometheus, 'up{job="prometheus"}', (value) => value === 1);
      assert.deepEqual(await firing(prometheus), []);
    });

    await t.test("the recorded rates, ratios and quantiles are those of the load", async () => {
      const idle = await Promise.all(Array.from({ length: 5 }, () => connectClient(t, echoUrl)));
      const sent = await load(echoUrl, metricsUrl);
      let counter = 0;
      await waitUntil(async () => {
        const page = await scrape(metricsUrl);
        counter = page['echo_messages_received_total{type="binary"}'] ?? 0;
        return (
          counter >= sent &&
          (await prometheus.value(ofTarget("echo_messages_received_total", ', type="binary"'))) === counter
        );
      }, `Prometheus to know of ${sent} messages`);

      // Prometheus extrapolates a rate to the ends of its window, by one interval of the few seconds that it has seen.
      const rate = await recorded(
        "job_instance:echo_messages_received:rate5m",
        (value) => value * windowSeconds >= counter * 0.9999,
      );
      assert.ok(
        rate * windowSeconds < counter * 1.25,
        `${rate * windowSeconds} messages recorded, not ${counter}`,
      );
      // Rates of one evaluation share their samples, and so the factor.
      const near = (expr: string, value: number): Promise<number> =>
        waitForValue(prometheus, expr, (each) => Math.abs(each - value) <= value * 1e-6);
      const per = (rateOf: string): string =>
        `${ofTarget(`job_instance:${rateOf}:rate5m`)} / ${ofTarget("job_instance:echo_messages_received:rate5m")}`;
      await near(per("echo_messages_sent"), 1);
      await near(per("echo_received_bytes"), payloadBytes);
      await near(per("echo_sent_bytes"), payloadBytes);
      await near(per("echo_connections_opened"), (8 + idle.length) / counter);
      await near(per("echo_connections_closed"), 8 / counter);
      await recorded("job_instance:echo_sends_dropped_per_send:ratio_rate5m", (value) => value === 0);
      await recorded("job_instance:echo_worker_cpu_seconds_per_message:ratio_rate5m", (value) => value > 0);
      const busy = await recorded(
        "job_instance:echo_worker_event_loop_utilization:max_avg5m",
        (value) => value > 0,
      );
      assert.ok(busy <= 1);
      // 100 B are in the bucket from 64 B to 256 B, and an estimate is a place in the bucket.
      const size = ofTarget(
        "job_instance_quantile:echo_message_size_bytes:histogram_quantile",
        ', quantile="0.5"',
      );
      await waitForValue(prometheus, size, (value) => Math.abs(value - 160) < 1e-6);

      assert.equal(
        await recorded("job_instance:echo_connections:ratio", (value) => value > 0),
        5 / maxConnections,
      );
    });

    await t.test("a refused handshake is a share of all handshakes", async () => {
      const { status } = await refusedHandshake(echoUrl, { protocolVersion: 8 });
      assert.equal(status, 426);
      const share = ofTarget(
        "job_instance_reason:echo_upgrades_rejected_per_handshake:ratio_rate5m",
        ', reason="bad_version"',
      );
      await waitForValue(prometheus, share, (value) => Math.abs(value - 1 / 14) < 0.005);
    });

    await t.test("an overrun by a client that does not read makes UwsEchoDroppingMessages fire", async () => {
      const slow = await connectSlowReader(t, echoUrl);
      const frame = maskedFrame(2, Buffer.alloc(64 * 1024));
      const drops = async (): Promise<number> =>
        (await scrape(metricsUrl))['echo_sends_total{result="dropped"}'] ?? 0;
      // The kernel takes some megabytes before anything waits in the server.
      await waitUntil(async () => {
        await flood(slow, frame, 32);
        return (await drops()) > 0;
      }, "an echo to be dropped");
      let labels: Record<string, string>[] = [];
      await waitUntil(async () => {
        labels = await firing(prometheus);
        return labels.length > 0;
      }, "the alert to fire");
      assert.deepEqual(labels, [
        { alertname: "UwsEchoDroppingMessages", job: "uws-echo", instance: target, severity: "ticket" },
      ]);
      assert.ok(
        (await recorded("job_instance:echo_sends_dropped_per_send:ratio_rate5m", (value) => value > 0)) < 1,
      );
      slow.destroy();
    });

    await t.test(
      "every panel has something to show, and every query of the runbook is answered",
      async () => {
        await (await fetch(`http://${server.authority}/inspect`)).text();
        // Empty unless the server has just been restarted, something counts above zero, or there is a certificate.
        const isMomentary = (expr: string): boolean =>
          expr.startsWith("changes(") || expr.endsWith("> 0") || expr.includes("certificate_expiry");
        const ofServers = dashboardQueries().filter((query) => !isOfLoad(query));
        const unanswered = new Map(ofServers.map(({ name, expr }) => [`${name}: ${expr}`, expr]));
        assert.ok(unanswered.size > 40);
        await waitUntil(async () => {
          for (const [key, expr] of unanswered) {
            const series = await prometheus.query(expr);
            if (isMomentary(expr) || series.some(({ value }) => !Number.isNaN(value))) {
              unanswered.delete(key);
            }
          }
          return unanswered.size === 0;
        }, "every panel to have something to show").catch((error: unknown) => {
          throw new Error(`nothing to show:\n${[...unanswered.keys()].join("\n")}`, { cause: error });
        });
        for (const { expr } of runbookQueries()) {
          await prometheus.query(expr);
        }
      },
    );

    await t.test("every rule is loaded and was evaluated without a complaint", async () => {
      const rules = await prometheus.rules();
      assert.equal(rules.length, readRules().length);
      assert.deepEqual(
        rules.filter(({ health }) => health !== "ok"),
        [],
      );
    });
  },
);
