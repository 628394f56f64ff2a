// Does something to the target at a moment of a session: a signal to its process, or a command.

import { type ChildProcess, spawn } from "node:child_process";
import { readProcess } from "./proc.ts";
import { adoptGroup, endGroup } from "./process-group.ts";

export type Action =
  /** Signal 0 sends nothing: it only waits for the process to end. */
  | { readonly kind: "signal"; readonly pid: number; readonly signal: NodeJS.Signals | 0 }
  | { readonly kind: "exec"; readonly command: string };

/** The result of a trigger. */
export interface Triggered {
  /** The exit code of a command that ended by itself. */
  readonly exitCode: number | null;
  /** How long the command ran, or until the process ended; null if it was still running. */
  readonly seconds: number | null;
}

export interface Trigger {
  /** Runs the action once. The output of a command goes to standard error. */
  fire(): void;
  /** Ends a command that still runs. */
  finish(): Promise<Triggered>;
}

const pollMs = 50;

export function createTrigger(action: Action): Trigger {
  return action.kind === "signal" ? signalTrigger(action) : commandTrigger(action);
}

function signalTrigger({ pid, signal }: Extract<Action, { kind: "signal" }>): Trigger {
  let sentMs: number | undefined;
  let seconds: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    if (sentMs !== undefined && seconds === null && readProcess(pid)?.isZombie !== false) {
      seconds = (performance.now() - sentMs) / 1000;
      clearInterval(timer);
    }
  };
  return {
    fire() {
      sentMs ??= performance.now();
      timer = setInterval(look, pollMs);
      try {
        process.kill(pid, signal);
      } catch {
        look(); // The process had already ended, which the outcome reports.
      }
    },
    finish() {
      look();
      clearInterval(timer);
      return Promise.resolve({ exitCode: null, seconds });
    },
  };
}

function commandTrigger({ command }: Extract<Action, { kind: "exec" }>): Trigger {
  let child: ChildProcess | undefined;
  let startedMs = 0;
  let triggered: Triggered = { exitCode: null, seconds: null };
  return {
    fire() {
      startedMs = performance.now();
      child = spawn("/bin/sh", ["-c", command], { stdio: ["ignore", "pipe", "pipe"], detached: true });
      child.stdout?.pipe(process.stderr, { end: false });
      child.stderr?.pipe(process.stderr, { end: false });
      child.once("error", () => undefined); // Without /bin/sh it has no exit code, which is reported.
      child.once("exit", (exitCode) => {
        triggered = { exitCode, seconds: (performance.now() - startedMs) / 1000 };
      });
      if (child.pid !== undefined) {
        adoptGroup(child.pid);
      }
    },
    async finish() {
      const ended = triggered;
      if (child?.pid !== undefined) {
        await endGroup(child.pid);
        child.stdout?.destroy();
        child.stderr?.destroy();
      }
      return ended;
    },
  };
}
