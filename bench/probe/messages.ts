// Checks echoes of messages: types, sizes at the limits of frame headers, fragments, order.

import { formatBytes, formatNumber } from "../../src/lib/format.ts";
import { opcodes } from "../engine/frame.ts";
import { makePayload } from "../engine/payload.ts";
import type { Check } from "./check.ts";
import type { Conversation } from "./conversation.ts";
import {
  awaitArrival,
  awaitMessage,
  binary,
  exchange,
  exchangePing,
  type Message,
  text,
} from "./exchange.ts";
import { attemptEach, fails, passes } from "./way.ts";

/** Characters of one to four bytes in UTF-8. */
const manyBytes = text("aé€😀 - 一つのメッセージ");

const types: Check = {
  id: "types",
  group: "messages",
  title: "text and binary",
  needs: ["isEcho"],
  run: async (way) => {
    const messages: readonly (readonly [string, Message])[] = [
      ["text", text("a message of text")],
      ["text of characters of up to 4 bytes", manyBytes],
      ["binary", binary(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)))],
    ];
    const { passed, wrong } = await attemptEach(
      way,
      messages.map(([name, message]) => [
        name,
        async (conversation) => (await exchange(conversation, message, way.target.timeoutMs))?.detail,
      ]),
    );
    return wrong.length === 0 ? passes(`${passed.join(", ")} came back as sent`) : fails(wrong.join("; "));
  },
};

/** Sizes at which a frame's length field changes its form, then larger ones in steps of four. */
function sizesUpTo(maxBytes: number): number[] {
  const borders = [0, 1, 125, 126, 65_535, 65_536];
  for (let bytes = 1024 * 1024; bytes < maxBytes; bytes *= 4) {
    borders.push(bytes);
  }
  return [...new Set([...borders.filter((bytes) => bytes <= maxBytes), maxBytes])];
}

const sizes: Check = {
  id: "sizes",
  group: "messages",
  title: "sizes",
  needs: ["isEcho"],
  run: async (way, { maxSizeBytes }) => {
    const { passed, wrong } = await attemptEach(
      way,
      sizesUpTo(maxSizeBytes).map((bytes) => [
        nameOfSize(bytes),
        async (conversation) => {
          const message = binary(Buffer.from(makePayload(bytes, "binary")));
          return (await exchange(conversation, message, way.target.timeoutMs))?.detail;
        },
      ]),
    );
    const facts = { passed: passed.join(", ") };
    const seen = `${facts.passed} came back`;
    return wrong.length === 0
      ? passes(seen, facts)
      : fails([...(passed.length === 0 ? [] : [seen]), ...wrong].join("; "), adviceForSizes(wrong), facts);
  },
};

/** Exact to the byte; `formatBytes` rounds. */
function nameOfSize(bytes: number): string {
  return bytes >= 1024 && bytes % 1024 === 0 ? formatBytes(bytes) : `${formatNumber(bytes)} B`;
}

function adviceForSizes(wrong: readonly string[]): string | null {
  return wrong.some((line) => line.includes("1009"))
    ? "1009 is a limit on messages: raise it, or send smaller ones"
    : null;
}

/** Sends a message in frames that end at the given offsets, and `between` before each but the first. */
async function sendFragments(
  conversation: Conversation,
  { opcode, payload }: Message,
  ends: readonly number[],
  between: () => Promise<string | undefined> = () => Promise.resolve(undefined),
): Promise<string | undefined> {
  const cuts = [0, ...ends, payload.length];
  for (let i = 1; i < cuts.length; i += 1) {
    const problem = i === 1 ? undefined : await between();
    if (problem !== undefined) {
      return problem;
    }
    const piece = payload.subarray(cuts[i - 1], cuts[i]);
    conversation.send(i === 1 ? opcode : opcodes.continuation, piece, i === cuts.length - 1);
  }
  return undefined;
}

const fragments: Check = {
  id: "fragments",
  group: "messages",
  title: "fragments",
  needs: ["isEcho"],
  run: async (way) => {
    const large = binary(Buffer.from(makePayload(70_000, "binary")));
    const cases: readonly (readonly [string, Message, readonly number[]])[] = [
      ["a text cut inside its characters", manyBytes, [1, 2, 4, 7]],
      ["empty frames", text("first and last are empty"), [0, 5, 5, 24]],
      ["70 frames of binary", large, Array.from({ length: 69 }, (_, index) => (index + 1) * 1000)],
    ];
    const { passed, wrong } = await attemptEach(
      way,
      cases.map(([name, message, ends]) => [
        name,
        async (conversation) => {
          await sendFragments(conversation, message, ends);
          return (await awaitMessage(conversation, message, way.target.timeoutMs))?.detail;
        },
      ]),
    );
    return wrong.length === 0 ? passes(`${passed.join(", ")} came back whole`) : fails(wrong.join("; "));
  },
};

const interleaved: Check = {
  id: "interleaved",
  group: "messages",
  title: "pings in a message",
  needs: ["isEcho"],
  run: (way) =>
    way.with(async (conversation) => {
      const { timeoutMs } = way.target;
      const message = text("a ping stands between the frames of this message");
      let pings = 0;
      const problem = await sendFragments(conversation, message, [10, 20, 30], () => {
        pings += 1;
        return exchangePing(conversation, Buffer.from(`between ${pings}`), timeoutMs);
      });
      if (problem !== undefined) {
        return fails(`a ping between two frames of a message: ${problem}`);
      }
      const missing = await awaitMessage(conversation, message, timeoutMs);
      return missing === undefined
        ? passes(`${pings} pings between the frames of a message were answered, and it came back whole`)
        : fails(`a message with ${pings} pings between its frames: ${missing.detail}`);
    }),
};

/** Small messages that are sent at once. */
const burstMessages = 200;

const burst: Check = {
  id: "burst",
  group: "messages",
  title: "order",
  needs: ["isEcho"],
  run: (way) =>
    way.with(async (conversation) => {
      const messages = Array.from({ length: burstMessages }, (_, index) => text(`message ${index}`));
      for (const { opcode, payload } of messages) {
        conversation.send(opcode, payload);
      }
      const sent = new Set(messages.map(({ payload }) => payload.toString()));
      for (const wanted of sent) {
        const arrival = await awaitArrival(
          conversation,
          way.target.timeoutMs,
          (each) => each.kind === "message" && sent.has(each.payload.toString()),
        );
        const got = arrival?.kind === "message" ? arrival.payload.toString() : "nothing";
        if (got !== wanted) {
          return fails(
            `of ${burstMessages} messages that were sent at once, ${got} came in place of ${wanted}`,
          );
        }
      }
      return passes(`${burstMessages} messages that were sent at once came back in order`);
    }),
};

export const messageChecks: readonly Check[] = [types, sizes, fragments, interleaved, burst];
