// Holds the code to its plan: imports go downward only, the server and the harness do not know each other, and a few
// things have one owner. See docs/architecture.md.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Import {
  readonly from: string;
  /** `import type` or `export type`. */
  readonly isType: boolean;
}

/** Every import of a source text: statements, re-exports, and import() of a literal. */
function importsOf(source: string): Import[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
  const statements = code.matchAll(
    /^\s*(?:import|export)\s+(type\s+)?(?:[\w*\s{},]*?\sfrom\s+)?["']([^"']+)["']/gm,
  );
  const calls = code.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g);
  return [
    ...[...statements].map(([, type, from = ""]) => ({ from, isType: type !== undefined })),
    ...[...calls].map(([, from = ""]) => ({ from, isType: false })),
  ];
}

/** TypeScript files of a folder. What a browser runs is bundled by itself and has rules of its own. */
function filesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => path.endsWith(".ts") && !path.includes("/web/"))
    .sort();
}

/** The modules of a folder by path from the root. */
function modulesOf(folder: string): Map<string, Import[]> {
  return new Map(filesOf(folder).map((path) => [path, importsOf(readFileSync(join(root, path), "utf8"))]));
}

const modules = new Map([...modulesOf("src"), ...modulesOf("bench")]);

/** The modules of ours that a module imports, by path from the root. */
function neighbours(path: string): string[] {
  return (modules.get(path) ?? [])
    .filter(({ from }) => from.startsWith("."))
    .map(({ from }) => relative(root, join(root, dirname(path), from)));
}

function importersOf(name: string, isType?: boolean): string[] {
  return [...modules]
    .filter(([, imports]) =>
      imports.some((each) => each.from === name && (isType ?? each.isType) === each.isType),
    )
    .map(([path]) => path);
}

test("the parser finds every kind of import, and none in a comment", () => {
  const source = `
    // import { no } from "./comment.ts";
    /* import no from "./block.ts"; */
    import one from "one";
    import type { Two } from "two";
    import {
      three,
      type Three,
    } from "./three.ts";
    import * as four from 'four';
    import "./five.ts";
    export { six } from "./six.ts";
    export type { Seven } from "./seven.ts";
    const eight = await import("eight");
    type Nine = typeof import("nine");
    export const text = "not from here";
  `;
  assert.deepEqual(
    importsOf(source).map(({ from, isType }) => (isType ? `type ${from}` : from)),
    ["one", "type two", "./three.ts", "four", "./five.ts", "./six.ts", "type ./seven.ts", "eight", "nine"],
  );
});

test("every import of ours names a file that is there, with its extension", () => {
  assert.ok(modules.size > 40);
  for (const path of modules.keys()) {
    for (const target of neighbours(path)) {
      assert.ok(target.endsWith(".ts"), `${path} imports ${target}`);
      assert.ok(existsSync(join(root, target)), `${path} imports ${target}`);
    }
  }
});

test("no module imports itself through others, types included", () => {
  const done = new Set<string>();
  function visit(path: string, trail: readonly string[]): void {
    assert.ok(!trail.includes(path), `a cycle: ${[...trail.slice(trail.indexOf(path)), path].join(" -> ")}`);
    if (done.has(path)) return;
    for (const next of neighbours(path)) visit(next, [...trail, path]);
    done.add(path);
  }
  for (const path of modules.keys()) visit(path, []);
});

test("the server and the harness do not know each other", () => {
  for (const path of modules.keys()) {
    const side = path.split("/")[0];
    for (const target of neighbours(path))
      assert.equal(target.split("/")[0], side, `${path} imports ${target}`);
  }
});

test("nothing imports a command", () => {
  for (const path of modules.keys())
    for (const target of neighbours(path))
      assert.doesNotMatch(target, /^(src|bench)\/(process\/)?(cli|worker)\.ts$/, path);
});

test("the foundations import nothing of ours", () => {
  for (const path of [
    "src/metrics/counters.ts",
    "src/lib/units.ts",
    "src/system/resources.ts",
    "src/system/uws.ts",
    "src/http/client-address.ts",
    "src/system/log.ts",
  ])
    assert.deepEqual(
      neighbours(path).filter((target) => target !== "src/config/options.ts" || path !== "src/system/log.ts"),
      [],
      path,
    );
});

test("what counts and what decides knows no endpoint and no process", () => {
  const below =
    /^src\/(metrics\/|config\/|lib\/|http\/client-address|server\/urls|websocket\/(handshake|admission|backpressure)\.ts$)/;
  const above =
    /^src\/(process\/|cli|index|http\/(?!client-address)|websocket\/(echo|lifecycle)|server\/(?!urls))/;
  for (const path of [...modules.keys()].filter((each) => below.test(each)))
    for (const target of neighbours(path)) assert.doesNotMatch(target, above, path);
});

test("the harness that measures does not know the reports, and a report measures nothing", () => {
  for (const path of modules.keys()) {
    for (const target of neighbours(path)) {
      if (/^bench\/(load|engine)\//.test(path))
        assert.doesNotMatch(target, /^bench\/(report|result)\//, path);
      if (path.startsWith("bench/report/"))
        assert.doesNotMatch(target, /^bench\/(load|engine)\/|^bench\/run\.ts$/, path);
      if (path.startsWith("bench/result/"))
        assert.match(target, /^bench\/(result\/|units\.ts$|report\/describe)/, path);
    }
  }
});

test("uWebSockets.js is loaded in one place; all others know only its types", () => {
  const users = importersOf("uWebSockets.js", false).filter((path) => path.startsWith("src/"));
  assert.deepEqual(users, ["src/system/uws.ts"]);
});

test("prom-client stays behind the metrics", () => {
  assert.deepEqual(
    importersOf("prom-client").filter((path) => path.startsWith("src/")),
    ["src/metrics/prom-client.ts", "src/metrics/registry.ts", "src/metrics/scrape.ts"],
  );
});

test("only the command ends the process", () => {
  for (const path of filesOf("src")) {
    const isCommand = path === "src/cli.ts";
    const code = readFileSync(join(root, path), "utf8").replaceAll(/^\s*\/\/.*$/gm, "");
    assert.equal(/\bprocess\.exit\(/.test(code), isCommand, path);
  }
});

test("whatever is imported at run time is a dependency of the package", () => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  // tsx is asked for only where the code runs from its sources, which the package does not have.
  const known = new Set([...Object.keys(manifest.dependencies), "tsx"]);
  for (const [path, imports] of modules) {
    for (const { from } of imports.filter((each) => !/^(\.|node:)/.test(each.from))) {
      const name = /^(@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from;
      assert.ok(known.has(name), `${path} imports ${from}`);
    }
  }
});
