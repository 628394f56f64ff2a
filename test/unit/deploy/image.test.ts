// Compares the Dockerfile and .dockerignore with the package, the options and each other. Whether the
// image builds and works is tested in test/integration/deploy/image.test.ts, which needs Podman.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { z } from "zod";
import { resolveConfig } from "../../../src/config/resolve.ts";
import { read, root } from "../../support/deploy.ts";

interface Instruction {
  readonly keyword: string;
  readonly rest: string;
}

const manifest = z
  .object({
    version: z.string(),
    license: z.string(),
    bin: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(read("package.json")));

const instructions: Instruction[] = read("Dockerfile")
  .split("\n")
  .filter((line) => !line.startsWith("#"))
  .join("\n")
  .replaceAll(/\\\n\s*/g, " ")
  .split("\n")
  .filter((line) => line.trim() !== "")
  .map((line) => {
    const [keyword = "", rest = ""] = line.split(/\s+(.*)/s, 2);
    return { keyword, rest };
  });
const finalStage = instructions.slice(instructions.findLastIndex(({ keyword }) => keyword === "FROM"));

function only(keyword: string): string {
  const found = finalStage.filter((instruction) => instruction.keyword === keyword);
  assert.equal(found.length, 1, `the image has one ${keyword}`);
  return found[0]?.rest ?? "";
}

function execForm(text: string): string[] {
  return z.array(z.string()).parse(JSON.parse(text.slice(text.indexOf("["))));
}

test("the image starts the package's own program, without a shell between it and SIGTERM", () => {
  assert.deepEqual(execForm(only("ENTRYPOINT")), ["node", manifest.bin["uws-echo"]]);
  assert.equal(only("STOPSIGNAL"), "SIGTERM");
});

test("the image exposes the default port, and runs as a user who is not root, by number", () => {
  assert.equal(only("EXPOSE"), String(resolveConfig({}).config.port));
  assert.match(only("USER"), /^[1-9]\d*:[1-9]\d*$/);
});

test("the labels say the package's version and license", () => {
  const version = finalStage.find(({ rest }) => rest.startsWith("VERSION="))?.rest;
  assert.equal(version, `VERSION=${manifest.version}`);
  assert.ok(only("LABEL").includes(`org.opencontainers.image.licenses="${manifest.license}"`));
});

test("the build context holds what the Dockerfile copies and nothing else", () => {
  const copied = instructions
    .filter(({ keyword, rest }) => keyword === "COPY" && !rest.startsWith("--from"))
    .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1));
  for (const path of copied) {
    assert.ok(existsSync(`${root}${path}`), `${path} exists`);
  }
  const [first, ...rules] = read(".dockerignore")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  assert.equal(first, "*");
  const admitted = rules.filter((rule) => rule.startsWith("!")).map((rule) => rule.slice(1));
  assert.deepEqual(admitted.toSorted(), [...new Set(copied)].toSorted());
  // What is left of the rules only takes away from what was let in.
  const taken = rules.filter((rule) => !rule.startsWith("!"));
  for (const rule of taken) {
    assert.ok(
      admitted.some((path) => rule.startsWith(`${path}/`)),
      rule,
    );
  }
  assert.ok(rules.indexOf(taken[0] ?? "") >= admitted.length);
});

test("every build argument that is documented exists", () => {
  const declared = instructions
    .filter(({ keyword }) => keyword === "ARG")
    .map(({ rest }) => rest.split("=")[0]);
  const documented = [...read("docs/deploying.md").matchAll(/--build-arg (\w+)=/g)].map((match) => match[1]);
  assert.ok(documented.length > 0);
  for (const name of documented) {
    assert.ok(declared.includes(name), name);
  }
});
