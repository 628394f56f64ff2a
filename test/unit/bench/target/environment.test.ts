import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { allowedCpus, describeEnvironment, parseCpuList } from "../../../../bench/target/environment.ts";

test("the environment names this commit, this Node and this machine", () => {
  const environment = describeEnvironment();
  assert.equal(environment.versions["node"], process.versions.node);
  assert.match(environment.versions["uws-echo-bench"] ?? "", /^\d+\.\d+\.\d+/);
  assert.ok(environment.cores >= 1);
  assert.ok(environment.memoryBytes > 0);
  if (environment.commit !== null) {
    assert.equal(environment.commit, execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim());
    assert.equal(typeof environment.dirty, "boolean");
  }
});

test("the kernel's CPU lists are read", () => {
  assert.deepEqual(parseCpuList("0"), [0]);
  assert.deepEqual(parseCpuList("0-2,5,8-9"), [0, 1, 2, 5, 8, 9]);
});

test("reads the CPUs of a process on Linux, and none of a process that does not exist", {
  skip: process.platform !== "linux" && "needs /proc",
}, () => {
  assert.ok((allowedCpus("self")?.length ?? 0) >= 1);
  assert.equal(allowedCpus(2 ** 30), null);
});
