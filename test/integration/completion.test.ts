// Loads the completion scripts of both programs into the shells themselves, and checks their completions.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { cliPath } from "../support/echo-server.ts";
import { harnessPath } from "../support/harness.ts";
import { spawnOnTerminal } from "../support/terminal.ts";
import { toolTest } from "../support/tools.ts";
import { waitUntil } from "../support/wait.ts";

const programs = { "uws-echo": cliPath, "uws-echo-bench": harnessPath };
const folder = mkdtempSync(join(tmpdir(), "uws-echo-completion-"));
after(() => rmSync(folder, { recursive: true }));

/** A completion script in a file. */
function scriptFor(program: keyof typeof programs, shell: string): string {
  const path = join(folder, `${program}.${shell}`);
  writeFileSync(path, execFileSync(process.execPath, [programs[program], "completion", shell]));
  return path;
}

const cases: readonly [line: string, completed: readonly string[]][] = [
  ["uws-echo --max-backp", ["--max-backpressure"]],
  ["uws-echo --no-con", ["--no-console"]],
  ["uws-echo --compression d", ["dedicated"]],
  ["uws-echo --workers a", ["auto"]],
  ["uws-echo --log-level f", ["fatal"]],
  ["uws-echo hea", ["health"]],
  ["uws-echo completion z", ["zsh"]],
  ["uws-echo health --admin-p", ["--admin-port"]],
  ["uws-echo-bench comp", ["compare", "completion"]],
  ["uws-echo-bench run --connecti", ["--connections"]],
  ["uws-echo-bench run --verify f", ["full"]],
  ["uws-echo-bench report --format mark", ["markdown"]],
];

const programOf = (line: string) => line.split(" ")[0] as keyof typeof programs;

for (const [line, completed] of cases) {
  toolTest("bash", `bash completes "${line}"`, () => {
    const words = line.split(" ");
    const program = programOf(line);
    const code = `source "$0"
      COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}
      _${program.replaceAll("-", "_")}; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const output = execFileSync("bash", ["--norc", "-c", code, scriptFor(program, "bash")], {
      encoding: "utf8",
    });
    assert.deepEqual(output.trim().split("\n").toSorted(), completed);
  });

  toolTest("fish", `fish completes "${line}"`, () => {
    const code = "source $argv[1]; complete -C $argv[2]";
    const output = execFileSync(
      "fish",
      ["--no-config", "-c", code, scriptFor(programOf(line), "fish"), line],
      {
        encoding: "utf8",
        env: { ...process.env, HOME: folder },
      },
    );
    const words = output.trim().split("\n");
    assert.deepEqual(words.map((word) => word.split("\t")[0]).toSorted(), completed);
  });
}

toolTest("bash", "bash completes a value after an equals sign, as readline splits it", () => {
  const code = `source "$0"; COMP_WORDS=(uws-echo --compression = sh); COMP_CWORD=3; _uws_echo; echo "\${COMPREPLY[@]}"`;
  const output = execFileSync("bash", ["--norc", "-c", code, scriptFor("uws-echo", "bash")], {
    encoding: "utf8",
  });
  assert.equal(output.trim(), "shared");
});

toolTest("zsh", "zsh completes flags, choices and commands of both programs", async (t) => {
  const sources = Object.keys(programs).map(
    (program) => `source ${scriptFor(program as keyof typeof programs, "zsh")}`,
  );
  // Its own terminal, because zsh completes only in an interactive shell.
  const child = spawnOnTerminal("zsh -f -i", {
    ...process.env,
    HOME: folder,
    ZDOTDIR: folder,
    TERM: "dumb",
    PS1: "",
  });
  const exited = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
  });
  child.stdin.write(`autoload -U compinit; compinit -u -D; ${sources.join("; ")}; print READY\n`);
  await waitUntil(() => shown.includes("\nREADY"), "zsh to load the scripts");
  for (const [line, completed] of cases) {
    const [only, ...others] = completed;
    if (only === undefined || others.length > 0) {
      continue;
    }
    shown = "";
    child.stdin.write(`${line}\t`);
    await waitUntil(() => shown.includes(only), `zsh to complete "${line}"`);
    child.stdin.write("\u0015");
  }
});
