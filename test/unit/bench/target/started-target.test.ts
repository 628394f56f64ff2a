import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { membersOf } from "../../../../bench/target/process-group.ts";
import { samplePid } from "../../../../bench/target/process-sampler.ts";
import { startTarget } from "../../../../bench/target/started-target.ts";
import { TargetError } from "../../../../bench/target/target.ts";
import { waitUntil } from "../../../support/wait.ts";

const server = fileURLToPath(new URL("../../../../bench/peers/ws.js", import.meta.url));
const options = { path: "/", timeoutMs: 30_000 };
const clock = { nowNs: () => performance.now() * 1e6 };

/** A Node process that spins a little now and then, for good. */
const idler = `node -e "setInterval(() => { const end = Date.now() + 3; while (Date.now() < end); }, 20)"`;

test("a command that forks is ended with everything that it has started", async () => {
  const target = await startTarget(`sh -c '${idler} & node ${server} {port} & wait'`, options);
  assert.ok(membersOf(target.pid).length >= 3, "the shell, the idler and the server");
  await target.stop();
  assert.deepEqual(membersOf(target.pid), []);
});

test("children in their own process group end with the target", async () => {
  const spawnAway = `require("child_process").spawn("sleep", ["1000"], { detached: true, stdio: "inherit" }).pid`;
  const target = await startTarget(
    `node -e 'process.title = "parent"; ${spawnAway}; require("net").createServer().listen({port})'`,
    options,
  );
  const sampler = samplePid(target.pid);
  await waitUntil(async () => (await sampler.sample(clock.nowNs))?.workers === 1, "the child is seen");
  await target.stop();
  assert.equal(await sampler.sample(clock.nowNs), undefined);
});

test("a command that forks and ends is a target, with the CPU time of its child", async (t) => {
  const target = await startTarget(`sh -c '${idler} & node ${server} {port} & exit 0'`, options);
  t.after(() => target.stop());
  await waitUntil(() => !membersOf(target.pid).includes(target.pid), "the shell has ended");
  const sampler = samplePid(target.pid);
  const first = await sampler.sample(clock.nowNs);
  assert.equal(first?.workers, 1, "all but one, until they work");
  await waitUntil(async () => {
    const sample = await sampler.sample(clock.nowNs);
    return (sample?.cpuSeconds ?? 0) > (first?.cpuSeconds ?? 0) + 0.01;
  }, "the idler has used CPU time");
  await target.stop();
  assert.equal(await sampler.sample(clock.nowNs), undefined);
});

test("a target that ignores SIGTERM is killed", async () => {
  const stubborn = `process.on("SIGTERM", () => {}); require("net").createServer().listen({port})`;
  const target = await startTarget(`node -e '${stubborn}'`, options);
  await target.stop();
  assert.deepEqual(membersOf(target.pid), []);
});

test("waiting for a target can be aborted, and leaves no process behind", async () => {
  const controller = new AbortController();
  const starting = startTarget(`sh -c '${idler} & wait; : {port}'`, {
    ...options,
    signal: controller.signal,
  });
  setTimeout(() => controller.abort(), 50);
  await assert.rejects(starting, (error) => {
    assert.ok(error instanceof TargetError);
    assert.match(error.message, /interrupted while the target .* was starting/);
    return true;
  });
});

test("CPU time is finer than a clock tick, and stays when a process ends", async (t) => {
  const target = await startTarget(`sh -c '${idler} & echo $!; exec node ${server} {port}'`, options);
  t.after(() => target.stop());
  const sampler = samplePid(target.pid);
  let before = 0;
  const fractions: number[] = [];
  await waitUntil(async () => {
    const sample = await sampler.sample(clock.nowNs);
    const cpuSeconds = sample?.cpuSeconds ?? 0;
    assert.ok(cpuSeconds >= before, `${cpuSeconds} s after ${before} s`);
    before = cpuSeconds;
    fractions.push(Math.abs(cpuSeconds * 100 - Math.round(cpuSeconds * 100)));
    return fractions.length >= 5 && fractions.some((fraction) => fraction > 0.01);
  }, "a fraction of a tick");
  const [child] = membersOf(target.pid).filter((pid) => pid !== target.pid);
  assert.ok(child !== undefined);
  process.kill(child, "SIGKILL");
  await waitUntil(() => !membersOf(target.pid).includes(child), "the child has ended");
  const after = await sampler.sample(clock.nowNs);
  assert.ok((after?.cpuSeconds ?? 0) >= before, "what the ended process used is kept");
});
