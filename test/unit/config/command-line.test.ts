import assert from "node:assert/strict";
import { test } from "node:test";
import { type CommandLine, readCommandLine } from "../../../src/config/command-line.ts";
import { buildCommand } from "../../../src/config/help.ts";
import { optionGroups } from "../../../src/config/option.ts";
import {
  ConfigError,
  explainUnknownVariables,
  flagName,
  optionNames,
  optionRow,
} from "../../../src/config/resolve.ts";

function serve(args: readonly string[], environment = {}): Extract<CommandLine, { resolved: unknown }> {
  const line = readCommandLine(args, environment);
  assert.ok("resolved" in line);
  return line;
}

function problemsOf(args: readonly string[], environment = {}): readonly string[] {
  try {
    readCommandLine(args, environment);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

test("no flags serve with defaults", () => {
  const { action, resolved } = serve([]);
  assert.equal(action, "serve");
  assert.equal(resolved.config.port, 9998);
});

test("flags are read with a space or an equals sign", () => {
  const { config, sources } = serve(["--port", "7000", "--max-payload=1MiB", "--goodbye"]).resolved;
  assert.equal(config.port, 7000);
  assert.equal(config.maxPayload, 1024 * 1024);
  assert.equal(config.goodbye, true);
  assert.equal(sources.goodbye, "flag");
  assert.equal(sources.reusePort, "default");
});

test("--no-console turns the page off, and so does its variable", () => {
  assert.equal(serve([]).resolved.config.console, true);
  assert.equal(serve(["--no-console"]).resolved.config.console, false);
  assert.equal(serve([], { UWS_ECHO_CONSOLE: "false" }).resolved.config.console, false);
  const { config, sources } = serve(["--no-console"], { UWS_ECHO_CONSOLE: "true" }).resolved;
  assert.equal(config.console, false);
  assert.equal(sources.console, "flag");
});

test("an unknown flag is named, wherever it stands", () => {
  assert.deepEqual(problemsOf(["--frobnicate", "7000"]), ["--frobnicate: unknown option."]);
  assert.deepEqual(problemsOf(["--port", "7000", "-x"]), ["-x: unknown option."]);
});

test("suggests the closest flag, command or variable", () => {
  for (const [typed, meant] of [
    ["--prot", "--port"],
    ["--max-backpresure=1MiB", "--max-backpressure"],
    ["--no-consol", "--no-console"],
    ["helth", "health"],
  ] as const) {
    assert.match(problemsOf([typed])[0] ?? "", new RegExp(`Did you mean ${meant}\\?$`), typed);
  }
  assert.deepEqual(explainUnknownVariables({ UWS_ECHO_MAX_PAYLAOD: "1MiB", UWS_ECHO_FROBNICATE: "1" }), [
    "UWS_ECHO_MAX_PAYLAOD is not a variable of uws-echo. Did you mean UWS_ECHO_MAX_PAYLOAD?",
    "UWS_ECHO_FROBNICATE is not a variable of uws-echo.",
  ]);
});

test("a toggle takes a value after an equals sign, and has a negative form", () => {
  const read = (...args: string[]) => serve(args).resolved.config;
  assert.equal(read("--goodbye=true").goodbye, true);
  assert.equal(read("--goodbye=off").goodbye, false);
  assert.equal(read("--goodbye", "--no-goodbye").goodbye, false);
  assert.equal(read("--console=no").console, false);
  assert.equal(read("--no-console", "--console").console, true);
  assert.equal(read("--no-reuse-port").reusePort, false);
  assert.equal(serve(["--goodbye", "health"]).action, "health", "the word after it is not its value");
  assert.deepEqual(problemsOf(["--goodbye=maybe"]), [
    '--goodbye "maybe": expected true, 1, yes, on, false, 0, no or off',
  ]);
});

test("a flag without its value is reported", () => {
  const problems = problemsOf(["--port"]);
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? "", /--port <n>.*argument missing/);
});

test("unknown flags, surplus words and bad values are reported at once", () => {
  const problems = problemsOf(["serve", "--wrokers=2", "--port", "x"], { UWS_ECHO_LOG_LEVEL: "loud" });
  assert.deepEqual(problems.map((problem) => problem.split(/[ :]/)[0]).sort(), [
    "--port",
    "--wrokers=2",
    "UWS_ECHO_LOG_LEVEL",
    "serve",
  ]);
});

test("health accepts only the options of the server", () => {
  const { action, resolved } = serve(["health", "--port", "7000"]);
  assert.equal(action, "health");
  assert.equal(resolved.config.port, 7000);
  assert.deepEqual(problemsOf(["start"]), ["start: unknown command."]);
  assert.deepEqual(problemsOf(["health", "now"]), ["now: unexpected argument"]);
});

test("--print-config is an action that needs a good configuration", () => {
  assert.equal(serve(["--print-config", "--port", "7000"]).action, "print-config");
  assert.equal(problemsOf(["--print-config", "--port", "x"]).length, 1);
  const line = serve(["--print-config=json"]);
  assert.ok(line.action === "print-config" && line.format === "json");
  assert.deepEqual(problemsOf(["--print-config=xml"]), ['--print-config "xml": expected text or json']);
});

test("completion needs a known shell", () => {
  assert.deepEqual(readCommandLine(["completion", "fish"], {}), { action: "completion", shell: "fish" });
  assert.deepEqual(problemsOf(["completion"]), ["completion: expected bash, zsh or fish"]);
  assert.deepEqual(problemsOf(["completion", "tcsh"]), ["completion tcsh: expected bash, zsh or fish"]);
});

test("help and version work despite other problems", () => {
  for (const args of [["--help"], ["-h"], ["help"], ["--port", "x", "--help"], ["--nonsense", "--help"]]) {
    assert.deepEqual(readCommandLine(args, {}), { action: "help", topic: undefined }, args.join(" "));
  }
  for (const args of [
    ["health", "--help"],
    ["help", "health"],
  ]) {
    assert.deepEqual(readCommandLine(args, {}), { action: "help", topic: "health" }, args.join(" "));
  }
  for (const args of [["--version"], ["-V"], ["--port", "x", "-V"]]) {
    assert.deepEqual(readCommandLine(args, {}), { action: "version" }, args.join(" "));
  }
});

test("the help has every group in order, and every option with its default", () => {
  const help = buildCommand().helpInformation();
  const headings = help.split("\n").filter((line) => /^[A-Z][A-Za-z ]*:$/.test(line));
  assert.deepEqual(headings, [...optionGroups.map((group) => `${group}:`), "Options:", "Commands:"]);
  const text = help.replaceAll(/\s+/g, " ");
  const isOff = optionNames.filter((name) => optionRow(name).default === true);
  for (const name of optionNames) {
    const flag = isOff.includes(name) ? flagName(name).replace("--", "--no-") : flagName(name);
    assert.ok(text.includes(` ${flag} `), flag);
  }
  // Of the options, --color has a default as well.
  assert.equal(text.match(/\(default: /g)?.length, optionNames.length - isOff.length + 1);
  assert.ok(text.includes("(default: 9998)"));
  assert.ok(text.includes("(default: 16MiB)"));
  assert.ok(text.includes("(default: a quarter of the memory limit)"));
  assert.ok(text.includes("(default: from the descriptor limit, with TLS also from memory)"));
});

test("the help of every command fits 80 columns and breaks no word", () => {
  const root = buildCommand();
  for (const command of [root, ...root.commands]) {
    for (const line of command.helpInformation().split("\n")) {
      assert.ok(line.length <= 80, line);
    }
  }
  const words = new Set(root.helpInformation().split(/\s+/));
  for (const { description } of root.options) {
    for (const word of description.split(/\s+/)) {
      assert.ok(words.has(word), word);
    }
  }
});
