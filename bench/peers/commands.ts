// `npm run bench:commands`: runs each command of the harness once against our server, and publishes a folder.

import { execFile } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { exitCodes } from "../commands/exit-codes.ts";
import { UsageError } from "../commands/option-schemas.ts";
import { act } from "../commands/outcome.ts";
import { describeEnvironment } from "../report/describe.ts";
import { writeOnce } from "../result/store.ts";
import { describeEnvironment as environmentHere } from "../target/environment.ts";
import { startTarget } from "../target/started-target.ts";
import { writeIndex } from "./publish.ts";
import { findPeers, ourServer, pinApart } from "./servers.ts";

/** One run of a command, against a fresh process. */
interface Run {
  readonly command: string;
  /** What the run answers. */
  readonly question: string;
  /** Its arguments; `$PID` stands for the process of the server. */
  readonly args: string;
  /** Over HTTP, with these options of the server. */
  readonly http?: string;
}

const runs: readonly Run[] = [
  {
    command: "run",
    question: "How fast is it, and how late are replies?",
    args: "--rate 10000 --duration 10s --pid $PID",
  },
  {
    command: "http",
    question: "How many HTTP requests does it answer?",
    args: "--duration 5s --pid $PID",
    // A client of HTTP that sends many requests from one address is limited by default.
    http: "--max-http-connections-per-ip 0",
  },
  { command: "search", question: "How much does it hold within a limit?", args: "--slo p99<5ms --pid $PID" },
  {
    command: "sweep",
    question: "What do payload, connections and depth do to it?",
    args: "--connections 16,64 --depth 1,16 --payload 64,4KiB --duration 1s --warmup 500ms --pid $PID",
  },
  {
    command: "idle",
    question: "What does an idle connection cost?",
    args: "--steps 1k,2k,4k,6k,8k,10k --hold 3s --ping 1s --pid $PID",
  },
  {
    command: "storm",
    question: "How does it take 5,000 clients at once?",
    args: "--connections 5000 --rate max --background 100@1000 --duration 10s --pid $PID",
  },
  {
    command: "drain",
    question: "Does it lose an echo when it ends under a load of a million messages?",
    args: "--connections 1000 --rate 50000 --at 21s --for 10s --signal $PID --reconnect never",
  },
  {
    command: "slow",
    question: "What do slow readers do to others?",
    args: "--readers 5% --read-rate 0 --pid $PID",
  },
  { command: "check", question: "What is between client and server?", args: "--idle 10s" },
  {
    command: "soak",
    question: "Does it leak?",
    args: "--duration 2m --churn 10s --pid $PID",
  },
];

const harness = fileURLToPath(new URL("../cli.js", import.meta.url));
const startTimeoutMs = 15_000;
const longestMs = 10 * 60_000;

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const command = new Command("bench:commands")
  .description(
    "runs each command of uws-echo-bench once against uws-echo, and writes a folder with the documents",
  )
  .option(
    "-o, --out <folder>",
    "new folder",
    join("bench", "results", `${new Date().toISOString().slice(0, 10)}-commands`),
  );
command.action((raw: Record<string, unknown>) =>
  act(command, () => {
    const folder = String(raw["out"]);
    if (existsSync(folder)) {
      throw new UsageError([`--out: ${folder} exists already: results are never overwritten`]);
    }
    return runAll(folder);
  }),
);
await command.parseAsync();

async function runAll(folder: string): Promise<number> {
  const startedAt = new Date().toISOString();
  const pin = pinApart(say);
  const server = findPeers(pin, () => undefined).find(({ name }) => name === ourServer)?.target ?? "";
  // Outside of the checkout: documents say whether it had uncommitted changes.
  const draft = mkdtempSync(join(tmpdir(), "uws-echo-commands-"));
  const environment = describeEnvironment(environmentHere());
  const sections: string[] = [];
  let exitCode: number = exitCodes.good;
  for (const run of runs) {
    say(run.command);
    const { typed, text, code } = await runOnce(run, server, join(draft, `${run.command}.json`));
    sections.push(
      `## ${run.command}: ${run.question}`,
      `\`${typed}\` ended with exit code ${code}.`,
      `\`\`\`text\n${text.trim()}\n\`\`\``,
    );
    exitCode = Math.max(exitCode, code);
  }
  const blocks = [
    `# The commands of uws-echo-bench, ${startedAt.slice(0, 10)}`,
    environment,
    `Made by \`npm run bench:commands\`. Each command ran once, against a fresh \`${server}\` at \`$PID\`.`,
    ...sections,
  ];
  cpSync(draft, folder, { recursive: true });
  rmSync(draft, { recursive: true });
  writeOnce(join(folder, "README.md"), `${blocks.join("\n\n")}\n`);
  writeIndex(dirname(folder));
  say(`written: ${folder}`);
  return exitCode;
}

/** Runs one command, writes its document, and returns what it printed. */
async function runOnce(
  { command, args, http }: Run,
  server: string,
  path: string,
): Promise<{ readonly typed: string; readonly text: string; readonly code: number }> {
  const target = await startTarget(http === undefined ? server : `${server} ${http}`, {
    path: "/echo",
    timeoutMs: startTimeoutMs,
  });
  const scratch = mkdtempSync(join(tmpdir(), "uws-echo-commands-"));
  try {
    const url =
      http !== undefined ? new URL("/healthz", target.url.replace("ws:", "http:")).href : target.url;
    // A sweep writes a folder with a Result for each measurement; its conclusion is the document.
    const out = command === "sweep" ? join(scratch, "sweep") : path;
    const given = args.replaceAll("$PID", String(target.pid)).split(" ");
    const ended = await execute([command, url, ...given, "--out", out]);
    if (command === "sweep") {
      copyFileSync(join(out, "sweep.json"), path);
    }
    return { typed: `uws-echo-bench ${command} ${url} ${args}`, ...ended };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    await target.stop();
  }
}

function execute(args: readonly string[]): Promise<{ readonly text: string; readonly code: number }> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [harness, ...args], { timeout: longestMs }, (error, stdout, stderr) => {
      const code = error === null ? exitCodes.good : error.code;
      if (typeof code !== "number" || code > exitCodes.notAcceptable) {
        reject(new Error(`uws-echo-bench ${args.join(" ")} failed: ${stderr}`, { cause: error }));
      } else {
        resolve({ text: stdout, code });
      }
    });
  });
}
