import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import {
  explainLoadFailure,
  loadNative,
  type Platform,
  supportedNodes,
  supportedSystems,
} from "../../../src/system/uws.ts";

const debian12: Platform = { nodeVersion: "20.20.2", abi: "115", os: "linux", arch: "x64", glibc: "2.36" };

// As uWebSockets.js reports it: its own sentence, then the cause.
const missing =
  "Error: This version of uWS.js supports only Node.js versions 16 to 25.\n\nError: Cannot find module './uws_linux_x64_115.node'";
const tooOld =
  "Error: This version of uWS.js supports only Node.js versions 16 to 25.\n\nError: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found";

test("the native binary loads here", async () => {
  const native = await loadNative();
  assert.equal(typeof native.App, "function");
  assert.equal(typeof native.us_listen_socket_close, "function");
});

test("musl is named as the cause, with images that have glibc", () => {
  for (const abi of ["115", "137", "999"]) {
    const text = explainLoadFailure({ ...debian12, abi, glibc: undefined }, missing);
    assert.match(text, /musl instead of glibc/);
    assert.match(text, /Debian or Ubuntu/);
  }
});

test("a Node version without a binary is named, with those that have one", () => {
  const text = explainLoadFailure({ ...debian12, nodeVersion: "23.1.0", abi: "131" }, missing);
  assert.match(text, /^uWebSockets.js cannot be loaded on Node 23.1.0 \(ABI 131\), linux x64: /);
  assert.match(text, /no binary for this Node version\. Use Node 20 .* or Node 22, 24 or 25/);
});

test("a system without binaries is named, with those that have them", () => {
  const text = explainLoadFailure({ ...debian12, arch: "arm" }, missing);
  assert.match(text, /no binary for this system\. There are binaries for linux x64, linux arm64, darwin x64/);
});

test("engines lists exactly the Node versions that have a binary, on every system", () => {
  const folder = new URL("../../../node_modules/uWebSockets.js/", import.meta.url);
  const manifest = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
    engines: { node: string };
  };
  const majors = manifest.engines.node.split(" || ").map((range) => Number(/^\^(\d+)\./.exec(range)?.[1]));
  assert.deepEqual(
    majors,
    supportedNodes.map(({ major }) => major),
  );
  for (const { abi } of supportedNodes) {
    for (const system of supportedSystems) {
      const name = `uws_${system.replace(" ", "_")}_${abi}.node`;
      assert.ok(existsSync(new URL(name, folder)), name);
    }
  }
});

test("a glibc that is too old is named with the one that is needed, and two ways out", () => {
  for (const [nodeVersion, abi] of [
    ["22.12.0", "127"],
    ["24.1.0", "137"],
    ["25.0.0", "141"],
  ] as const) {
    const text = explainLoadFailure({ ...debian12, nodeVersion, abi }, tooOld);
    assert.match(text, /needs glibc 2\.38, and this system has 2\.36\. Use Node 20, or a newer system/);
  }
  const old = explainLoadFailure({ ...debian12, glibc: "2.17" }, tooOld);
  assert.match(old, /needs glibc 2\.27, and this system has 2\.17/);
});

test("versions of glibc are compared as numbers", () => {
  const ancient = explainLoadFailure({ ...debian12, glibc: "2.9" }, tooOld);
  assert.match(ancient, /needs glibc 2\.27, and this system has 2\.9/);
  const future = explainLoadFailure({ ...debian12, abi: "137", glibc: "2.100" }, missing);
  assert.doesNotMatch(future, /needs glibc/);
});

test("a glibc that is just new enough is not named as the cause", () => {
  const text = explainLoadFailure({ ...debian12, abi: "137", glibc: "2.38" }, "Error: something else");
  assert.doesNotMatch(text, /needs glibc/);
});

test("a missing binary or package is to be installed", () => {
  for (const detail of [
    missing,
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'uWebSockets.js' imported from x",
  ]) {
    const text = explainLoadFailure(debian12, detail);
    assert.match(text, /is not installed\. Run npm ci;/);
  }
  const mac = { ...debian12, os: "darwin", arch: "arm64", glibc: undefined };
  assert.match(explainLoadFailure(mac, missing), /is not installed/, "no glibc is no fault on a Mac");
});

test("any other cause is reported in its own words, on one line", () => {
  const text = explainLoadFailure(debian12, "\nError: out of memory\n  at somewhere");
  assert.match(text, /linux x64: Error: out of memory$/);
});
