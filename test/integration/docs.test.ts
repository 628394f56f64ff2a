// Holds the documentation against the real program: its --help, its scrape, its answers, and its examples.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cliPath, type Spawned, spawnServer } from "../support/echo-server.ts";
import { requireTool } from "../support/tools.ts";
import { inTime } from "../support/wait.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const document = (path: string): string => readFileSync(join(root, path), "utf8");
const operating = document("docs/operating.md");
const endpoints = document("docs/endpoints.md");

/** Every document of the project, by path from the root. */
const documents = [
  ...readdirSync(root),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).map((path) => join("docs", path)),
].filter((path) => path.endsWith(".md"));

type Row = Readonly<Record<string, string>>;

/** The rows of every table that has these columns; cells are text as a reader sees it. */
function tableRows(markdown: string, columns: readonly string[]): Row[] {
  const rows: Row[] = [];
  let isInside = false;
  for (const line of markdown.split("\n")) {
    if (!line.startsWith("|")) {
      isInside = false;
      continue;
    }
    const cells = line
      .slice(1, line.lastIndexOf("|"))
      .split(/(?<!\\)\|/)
      .map((cell) =>
        cell
          .trim()
          .replaceAll(/\\([|*])/g, "$1")
          .replaceAll("`", ""),
      );
    if (isInside && !/^\|[\s|:-]+\|$/.test(line)) {
      rows.push(Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? ""])));
    }
    if (cells.join() === columns.join()) {
      isInside = true;
    }
  }
  return rows;
}

const optionRows = tableRows(operating, ["Flag", "Variable", "Default", "Allowed", "Meaning"]);
/** Every option of --help: flag with placeholder, meaning, default. */
function helpRows(): Row[] {
  const { stdout } = spawnSync(process.execPath, [cliPath, "--help"], { encoding: "utf8" });
  const [options = ""] = stdout.slice(stdout.indexOf("\nListening:")).split("\nOptions:");
  // A line that begins deeper than an option goes on with the one before it.
  const joined = options.replaceAll(/\n {10,}/g, " ");
  return [...joined.matchAll(/^ {2}(--\S+(?: <[^>]*>)?) +(.*?)(?: \(default: (.*)\))?$/gm)].map(
    ([, Flag = "", Meaning = "", Default = "on"]) => ({ Flag, Default, Meaning }),
  );
}

test("the tables of options say what --help says, in its order", () => {
  const documented = optionRows.map(({ Flag = "", Default = "", Meaning = "" }) => ({
    Flag,
    Default,
    Meaning,
  }));
  assert.ok(documented.length > 20);
  assert.deepEqual(documented, helpRows());
});

test("every documented variable sets an option, and its documented default means the default", () => {
  // A default in words is computed, and "none" stands for a file that is not given.
  const isLiteral = ({ Default = "", Allowed = "" }: Row): boolean =>
    !Default.includes(" ") && Allowed !== "the path of a file";
  const env = Object.fromEntries(
    optionRows.filter(isLiteral).map(({ Variable = "", Default = "" }) => [Variable, Default]),
  );
  const print = (variables: Record<string, string>): string[][] => {
    const { stdout, stderr } = spawnSync(process.execPath, [cliPath, "--print-config"], {
      encoding: "utf8",
      env: { ...process.env, ...variables },
    });
    assert.equal(stderr, "");
    return stdout
      .trim()
      .split("\n")
      .map((line) => line.split(/\s+/));
  };
  const given = print(env);
  assert.deepEqual(
    given.map(([flag, value]) => [flag, value]),
    print({}).map(([flag, value]) => [flag, value]),
  );
  assert.equal(given.filter(([, , source]) => source === "variable").length, Object.keys(env).length);
});

test("what is documented as allowed is what someone is told who gives something else", () => {
  const rows = optionRows.filter(({ Allowed }) => Allowed !== "the path of a file");
  const { status, stderr } = spawnSync(process.execPath, [cliPath, "--print-config"], {
    encoding: "utf8",
    env: { ...process.env, ...Object.fromEntries(rows.map(({ Variable = "" }) => [Variable, " "])) },
  });
  assert.equal(status, 2);
  const told = [...stderr.matchAll(/^uws-echo: (UWS_ECHO_\w+) " ": expected (.*)$/gm)];
  assert.deepEqual(
    told.map(([, variable, allowed = ""]) => [variable, allowed.replace(/, such as (?:500ms|64KiB).*/, "")]),
    rows.map(({ Variable, Allowed }) => [Variable, Allowed]),
  );
});

const metricRows = tableRows(operating, ["Name", "Type", "Labels", "Meaning"]);

/** Families of a page in the text format. */
function familiesOf(
  page: string,
): Map<string, { type: string; help: string; labels: Set<string>; bounds: string[] }> {
  const families = new Map(
    [...page.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm)].map(
      ([, name = "", help = "", type = ""]) => [
        name,
        { type, help, labels: new Set<string>(), bounds: [] as string[] },
      ],
    ),
  );
  for (const [, sample = "", labels = ""] of page.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const family = families.get(sample) ?? families.get(sample.replace(/_(bucket|sum|count)$/, ""));
    assert.ok(family !== undefined, `${sample} belongs to no family`);
    for (const [, name = "", value = ""] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
      if (name === "le") {
        family.bounds.push(value);
      } else {
        family.labels.add(name);
      }
    }
  }
  return families;
}

async function scrapePage(server: Spawned): Promise<string> {
  return await (await fetch(`http://${server.authority}/metrics`)).text();
}

test("the tables of metrics say what a scrape says: names, types, labels, meanings, buckets", async (t) => {
  const families = familiesOf(await scrapePage(await spawnServer(t)));
  const ours = [...families].filter(([name]) => name.startsWith("echo_"));
  assert.deepEqual(
    metricRows,
    ours.map(([Name, { type, labels, help }]) => ({
      Name,
      Type: type,
      Labels: [...labels].join(", "),
      Meaning: help,
    })),
  );
  assert.deepEqual(
    tableRows(operating, ["Histogram", "Upper bounds of its buckets"]).map((row) => Object.values(row)),
    ours
      .filter(([, { type }]) => type === "histogram")
      .map(([name, { bounds }]) => [name, bounds.join(", ")]),
  );
});

test("the values that labels are documented to have are those of a scrape", async (t) => {
  const page = await scrapePage(await spawnServer(t));
  for (const { Label = "", Values = "" } of tableRows(operating, ["Label", "Values"])) {
    if (Label === "worker") {
      continue;
    }
    const [label = "", family] = Label.split(" of ");
    const samples = page.split("\n").filter((line) => line.startsWith(family ?? "echo_"));
    const seen = samples.flatMap((line) => new RegExp(`[{,]${label}="([^"]*)"`).exec(line)?.[1] ?? []);
    assert.deepEqual(new Set(Values.split(", ")), new Set(seen), Label);
  }
});

test("every metric that is mentioned exists, those of prom-client included", async (t) => {
  const families = familiesOf(await scrapePage(await spawnServer(t)));
  for (const path of documents) {
    // After a colon it is part of a recorded series: test/unit/deploy/rules.test.ts knows those.
    for (const [name] of document(path).matchAll(/(?<![\w:])echo_[a-z0-9_]*[a-z0-9](?![a-z0-9_*<])/g)) {
      const isKnown = families.has(name) || families.has(name.replace(/_(bucket|sum|count)$/, ""));
      assert.ok(isKnown || name === "echo_limit", `${path} mentions ${name}`);
    }
  }
  if (process.platform !== "linux") {
    return;
  }
  const mentioned = [...operating.matchAll(/`((?:process|nodejs)_\w*[a-z0-9])`/g)].map(([, name]) => name);
  assert.deepEqual(
    mentioned,
    [...families.keys()].filter((name) => !name.startsWith("echo_")),
  );
});

test("every flag that is mentioned exists", () => {
  const known = new Set([
    ...optionRows.map(({ Flag = "" }) => Flag.split(" ")[0] ?? ""),
    ...["--help", "--version", "--print-config", "--no-console"],
    ...["--data"], // of curl
  ]);
  for (const path of ["docs/operating.md", "docs/endpoints.md", "docs/architecture.md"]) {
    for (const [, flag = ""] of document(path).matchAll(/(?<![\w-])(--[a-z]+(?:-[a-z]+)*)/g)) {
      assert.ok(known.has(flag), `${path} mentions ${flag}`);
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

const endpointRows = tableRows(endpoints, ["Path", "Methods", "What it is"]);

test("the table of endpoints says what the page of an unknown path says, in its order", async (t) => {
  const { authority } = await spawnServer(t);
  const page = await (await fetch(`http://${authority}/nothing`)).text();
  const listed = [...page.matchAll(/^ {2}(\/\S*) +(.*)$/gm)].map(([, path = "", summary = ""]) => [
    path,
    summary,
  ]);
  assert.deepEqual(
    endpointRows.map((row) => [row["Path"], row["What it is"]]),
    listed,
  );
});

test("the methods that endpoints are documented to have are those that they allow", async (t) => {
  const { authority } = await spawnServer(t);
  for (const { Path = "", Methods = "" } of endpointRows) {
    const { statusCode, headers } = await new Promise<import("node:http").IncomingMessage>(
      (resolve, reject) => {
        request(`http://${authority}${Path}`, { method: "PROPFIND", agent: false }, (response) => {
          response.resume();
          resolve(response);
        })
          .on("error", reject)
          .end();
      },
    );
    if (Methods === "any") {
      assert.equal(statusCode, 200, Path);
    } else {
      assert.deepEqual([statusCode, headers["allow"]], [405, Methods], Path);
    }
  }
});

test("with an admin port the last four endpoints are there and the others are not", async (t) => {
  const server = await spawnServer(t, ["--admin-port", "0", "--admin-host", "127.0.0.1"]);
  const admin = new URL(server.urls.find((url) => url.endsWith("/metrics")) ?? "").host;
  const paths = endpointRows.map((row) => row["Path"] ?? "");
  for (const [host, here] of [
    [admin, paths.slice(-4)],
    [server.authority, paths.slice(0, -4)],
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
  const config = /```yaml\n(scrape_configs:[\s\S]*?)```/.exec(operating)?.[1];
  assert.ok(config !== undefined);
  const path = join(tmpdir(), `uws-echo-docs-${process.pid}.yml`);
  writeFileSync(path, config);
  const { status, stderr } = spawnSync("promtool", ["check", "config", path], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
});
