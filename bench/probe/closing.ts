// Checks the end of a connection: close codes in both directions.

import type { Finding } from "../result/check.ts";
import type { Check } from "./check.ts";
import type { Conversation } from "./conversation.ts";
import { awaitArrival } from "./exchange.ts";
import { type Attempt, attemptEach, fails, passes } from "./way.ts";

/** Close codes that are sent: RFC 6455's, a library's, an application's. Undefined: a close frame without one. */
const ourCodes = [1000, 1001, 3000, 4321, undefined] as const;
/** Close codes requested from a uws-echo. */
const theirCodes = [1000, 1001, 1011, 1012, 1013, 3000, 4321] as const;
const reason = "check";

const ours: Check = {
  id: "close-ours",
  group: "closing",
  title: "our close codes",
  run: async (way) => {
    const answers: string[] = [];
    const attempts = ourCodes.map(
      (code): Attempt => [
        code === undefined ? "no code" : String(code),
        async (conversation) => {
          conversation.sendClose(code, code === undefined ? "" : reason);
          const problem = await awaitEnd(conversation, way.target.timeoutMs);
          const answer = conversation.closeFrame?.code;
          if (problem === undefined && answer !== (code ?? 1005)) {
            answers.push(`${code ?? "no code"} with ${answer === 1005 ? "no code" : answer}`);
          }
          return problem;
        },
      ],
    );
    const { passed, wrong } = await attemptEach(way, attempts);
    if (wrong.length > 0) {
      return fails(wrong.join("; "));
    }
    return answers.length === 0
      ? passes(`${passed.join(", ")} were answered alike, and the connection ended`, { answers: "alike" })
      : passes(`${passed.join(", ")} were answered, ${answers.join(", ")}`, { answers: answers.join(", ") });
  },
};

/** Waits for the answer to our close frame, and for the end of the TCP connection, which the server ends (RFC 6455 section 7.1.1). */
async function awaitEnd(conversation: Conversation, timeoutMs: number): Promise<string | undefined> {
  const arrival = await awaitArrival(conversation, timeoutMs, () => false);
  if (conversation.closeFrame === undefined) {
    return arrival === undefined ? `no close frame within ${timeoutMs} ms` : "it ended without a close frame";
  }
  return arrival === undefined
    ? `answered, but the TCP connection did not end within ${timeoutMs} ms`
    : undefined;
}

const theirs: Check = {
  id: "close-theirs",
  group: "closing",
  title: "server's close codes",
  needs: ["isUwsEcho"],
  run: async (way) => {
    const wrong: string[] = [];
    for (const code of theirCodes) {
      const finding = await way.with(
        async (conversation) => {
          await awaitArrival(conversation, way.target.timeoutMs, () => false);
          const got = conversation.closeFrame;
          return got?.code === code && got.reason === reason ? passes("") : fails(describeGot(got));
        },
        { beside: `close?code=${code}&reason=${reason}` },
      );
      if (finding.status === "fails") {
        wrong.push(`${code}: ${finding.seen}`);
      }
    }
    const abrupt = await way.with((conversation) => awaitCut(conversation, way.target.timeoutMs), {
      beside: "close?abrupt",
    });
    if (abrupt.status === "fails") {
      wrong.push(`an end without a close frame: ${abrupt.seen}`);
    }
    return wrong.length === 0
      ? passes(`${theirCodes.join(", ")} arrive with their reason; an end without a close frame does, too`)
      : fails(wrong.join("; "), "what is in between ends connections itself, so clients cannot tell why");
  },
};

function describeGot(got: Conversation["closeFrame"]): string {
  return got === undefined
    ? "no close frame came"
    : `${got.code} came, with the reason ${JSON.stringify(got.reason)}`;
}

async function awaitCut(conversation: Conversation, timeoutMs: number): Promise<Finding> {
  const arrival = await awaitArrival(conversation, timeoutMs, () => false);
  if (arrival === undefined) {
    return fails(`the connection was still there after ${timeoutMs} ms`);
  }
  const { closeFrame } = conversation;
  return closeFrame === undefined ? passes("") : fails(describeGot(closeFrame));
}

export const closingChecks: readonly Check[] = [ours, theirs];
