// One way to a server: opens connections for the checks, and holds the detected traits of the server.

import { personalise, wholeRun } from "../engine/template.ts";
import type { Finding } from "../result/check.ts";
import { type Conversation, converse, type Opening, type Target } from "./conversation.ts";

/** Traits that checks rely on. */
export interface Traits {
  /** It returns messages. */
  readonly isEcho: boolean;
  readonly answersPings: boolean;
  /** It is a uws-echo, which supports `/inspect` and requested close codes. */
  readonly isUwsEcho: boolean;
}

/** Options that differ for one connection. */
export interface Changes {
  /** A path beside that of the target, such as `close?code=1012`. */
  readonly beside?: string;
  readonly headers?: Target["headers"];
  readonly subprotocols?: readonly string[];
  readonly timeoutMs?: number;
}

export class Way {
  readonly target: Target;
  readonly #open = new Set<Conversation>();
  readonly #personalise: ReturnType<typeof personalise>;
  #openings = 0;

  constructor(target: Target) {
    this.target = target;
    this.#personalise = personalise(target, wholeRun);
  }

  /** Opens a connection, which `endAll` ends if nothing else does. Never rejects. */
  async open({ beside, headers = [], ...changes }: Changes = {}): Promise<Opening> {
    const { target } = this;
    const personal = this.#personalise(this.#openings);
    this.#openings += 1;
    const opening = await converse({
      ...target,
      url: beside === undefined ? personal.url : new URL(beside, personal.url).href,
      headers: [...personal.headers, ...headers],
      ...changes,
    });
    const { conversation } = opening;
    if (conversation !== undefined) {
      this.#open.add(conversation);
      conversation.socket.once("close", () => this.#open.delete(conversation));
    }
    return opening;
  }

  /** Opens a connection, calls `body` with it, and closes it. The check fails if it does not open. */
  async with(
    body: (conversation: Conversation) => Promise<Finding>,
    changes: Changes = {},
  ): Promise<Finding> {
    const opening = await this.open(changes);
    if (opening.conversation === undefined) {
      return fails(`no connection: ${opening.ending.detail}`);
    }
    try {
      return await body(opening.conversation);
    } finally {
      opening.conversation.leave();
    }
  }

  /** Destroys every open connection. */
  endAll(): void {
    for (const conversation of this.#open) {
      conversation.destroy();
    }
  }
}

/** One attempt on its own connection: returns what went wrong, or nothing. */
export type Attempt = readonly [
  name: string,
  run: (conversation: Conversation) => Promise<string | undefined>,
];

/** Makes all attempts, even after a failure. */
export async function attemptEach(
  way: Way,
  attempts: readonly Attempt[],
  changes: Changes = {},
): Promise<{ readonly passed: readonly string[]; readonly wrong: readonly string[] }> {
  const passed: string[] = [];
  const wrong: string[] = [];
  for (const [name, run] of attempts) {
    const { status, seen } = await way.with(async (conversation) => {
      const problem = await run(conversation);
      return problem === undefined ? passes("") : fails(problem);
    }, changes);
    if (status === "pass") {
      passed.push(name);
    } else {
      wrong.push(`${name}: ${seen}`);
    }
  }
  return { passed, wrong };
}

export function passes(seen: string, facts: Finding["facts"] = {}, advice: string | null = null): Finding {
  return { status: "pass", seen, facts, advice };
}

export function fails(seen: string, advice: string | null = null, facts: Finding["facts"] = {}): Finding {
  return { status: "fails", seen, facts, advice };
}

export function notTested(seen: string, facts: Finding["facts"] = {}): Finding {
  return { status: "not-tested", seen, facts, advice: null };
}
