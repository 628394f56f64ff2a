// Checks the documentation: generated references, names of metrics and flags, links, and examples against a server.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { references } from "../../scripts/reference/all.ts";
import { spawnServer } from "../support/echo-server.ts";
import { requireTool } from "../support/tools.ts";
import { inTime } from "../support/wait.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const document = (path: string): string => readFileSync(join(root, path), "utf8");

/** Every document of the project, by path from the root. */
const documents = [
  ...readdirSync(root),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).map((path) => join("docs", path)),
].filter((path) => path.endsWith(".md"));

/** What a generated reference has in the first cell of its rows, without what follows a space. */
function firstCells(path: string): Set<string> {
  return new Set([...document(path).matchAll(/^\| `([^ `]+)/gm)].map(([, cell = ""]) => cell));
}

test("the references are what the code makes", async () => {
  const folder = "docs/reference";
  const built = await references();
  assert.deepEqual(
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
    [...built.keys()].toSorted(),
  );
  for (const [path, text] of built) {
    // What is not Linux has other metrics of the process.
    if (process.platform === "linux" || !path.endsWith("metrics.md")) {
      assert.equal(document(path), text, `${path} is out of date: npm run build:docs`);
    }
  }
});

test("every metric that is mentioned exists", () => {
  const known = firstCells("docs/reference/metrics.md");
  for (const path of documents) {
    // After a colon it is part of a recorded series: test/unit/deploy/rules.test.ts checks those.
    for (const [name] of document(path).matchAll(/(?<![\w:])echo_[a-z0-9_]*[a-z0-9](?![a-z0-9_*<])/g)) {
      const isKnown = known.has(name) || known.has(name.replace(/_(bucket|sum|count)$/, ""));
      assert.ok(isKnown || name === "echo_limit", `${path} mentions ${name}`);
    }
  }
});

test("every flag that is mentioned exists", () => {
  const known = new Set([
    ...firstCells("docs/reference/options.md"),
    ...["--help", "--version", "--print-config", "--no-console"],
    ...["--data", "--import", "--test"], // of curl and node
  ]);
  for (const name of ["operating", "endpoints", "architecture", "runbook"]) {
    for (const [, flag = ""] of document(`docs/${name}.md`).matchAll(/(?<![\w-])(--[a-z]+(?:-[a-z]+)*)/g)) {
      assert.ok(known.has(flag), `docs/${name}.md mentions ${flag}`);
    }
  }
});

test("every link between documents leads somewhere", () => {
  const anchor = (heading: string): string =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-");
  for (const path of documents) {
    for (const [, link = ""] of document(path).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [file = "", fragment] = link.split("#");
      const target = file === "" ? path : join(dirname(path), file);
      assert.ok(existsSync(join(root, target)), `${path} links to ${link}`);
      if (fragment === undefined || fragment === "") {
        continue;
      }
      const headings = [...document(target).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
        anchor(heading),
      );
      assert.ok(headings.includes(fragment), `${path} links to ${link}`);
    }
  }
});

test("with an admin port, metrics and health are on it and the other endpoints are not", async (t) => {
  const server = await spawnServer(t, ["--admin-port", "0", "--admin-host", "127.0.0.1"]);
  const admin = new URL(server.urls.find((url) => url.endsWith("/metrics")) ?? "").host;
  const paths = [...firstCells("docs/reference/endpoints.md")];
  const onAdmin = ["/metrics", "/livez", "/readyz", "/healthz"];
  for (const [host, here] of [
    [admin, onAdmin],
    [server.authority, paths.filter((path) => !onAdmin.includes(path))],
  ] as const) {
    for (const path of paths) {
      const { status, body } = await fetch(`http://${host}${path}`);
      await body?.cancel();
      assert.equal(status !== 404, here.includes(path), `${path} on ${host}`);
    }
  }
});

interface Example {
  readonly language: string;
  readonly code: string;
  readonly output: string;
}

/**
 * Each block of code that a block of its output follows directly. Of shell commands only those that ask the server: what
 * installs or starts something is for the reader.
 */
function examplesOf(markdown: string): Example[] {
  const blocks = [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap((block, i) => {
    const [whole, language = "", code = ""] = block;
    const next = blocks[i + 1];
    const isFollowed = next?.[1] === "text" && next.index === block.index + whole.length + 2;
    const isRun =
      language === "js" ||
      (language === "sh" && /^(head [^|;&]* \| )?curl [^;&\n]*\n$/.test(withoutQuoted(code)));
    return isFollowed && isRun ? [{ language, code, output: next[2] ?? "" }] : [];
  });
}

function withoutQuoted(code: string): string {
  return code.replaceAll(/'[^']*'/g, "");
}

/** Output as a pattern: `…` stands for anything within a line. */
function patternOf(output: string): RegExp {
  const escaped = output.trimEnd().replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("…", ".*")}$`);
}

test("the examples do what they say", async (t) => {
  if (!requireTool(t, "curl")) {
    return;
  }
  const { authority } = await spawnServer(t);
  const examples = documents.flatMap((path) => examplesOf(document(path)));
  assert.ok(examples.length >= 10);
  for (const { language, code, output } of examples) {
    const real = code.replaceAll("localhost:9998", authority);
    const prelude = code.includes("import ") ? "" : 'import { WebSocket } from "ws";';
    const [program, args] =
      language === "sh"
        ? (["sh", ["-c", real]] as const)
        : ([process.execPath, ["--input-type=module", "-e", `${prelude}\n${real}`]] as const);
    const { stdout } = await inTime(run(program, args, { cwd: root, timeout: 30_000 }), code, 40_000);
    assert.match(
      stdout.replaceAll("\r\n", "\n").trimEnd(),
      patternOf(output.replaceAll("localhost:…", "…")),
      code,
    );
  }
});

test("promtool accepts the documented scrape configuration", async (t) => {
  if (!requireTool(t, "promtool")) {
    return;
  }
  const config = /```yaml\n(scrape_configs:[\s\S]*?)```/.exec(document("docs/operating.md"))?.[1];
  assert.ok(config !== undefined);
  const path = join(tmpdir(), `uws-echo-docs-${process.pid}.yml`);
  writeFileSync(path, config);
  const { status, stderr } = spawnSync("promtool", ["check", "config", path], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
});
