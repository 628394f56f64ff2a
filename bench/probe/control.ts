// Checks pings and pongs: whether they are answered, and if possible, by which party.

import { formatDurationUs } from "../../src/lib/format.ts";
import { opcodes } from "../engine/frame.ts";
import type { Finding } from "../result/check.ts";
import type { Check } from "./check.ts";
import { awaitArrival, exchange, exchangePing, text } from "./exchange.ts";
import { fails, passes, type Way } from "./way.ts";

/** A control frame holds at most 125 bytes. */
const pingSizes = [0, 4, 125];

const ping: Check = {
  id: "ping",
  group: "control",
  title: "pings answered",
  run: (way) =>
    way.with(async (conversation) => {
      const startedMs = performance.now();
      for (const bytes of pingSizes) {
        const problem = await exchangePing(conversation, Buffer.alloc(bytes, "ping"), way.target.timeoutMs);
        if (problem !== undefined) {
          return fails(`a ping with ${bytes} bytes: ${problem}`);
        }
      }
      const meanUs = ((performance.now() - startedMs) * 1000) / pingSizes.length;
      return passes(
        `pings with ${pingSizes.join(", ")} bytes were answered, after ${formatDurationUs(meanUs)} each`,
      );
    }),
};

/** Rounds of a message followed by a ping. */
const rounds = 5;

const answerer: Check = {
  id: "ping-answerer",
  group: "control",
  title: "who answers pings",
  needs: ["isEcho", "answersPings"],
  run: (way) => way.with((conversation) => findAnswerer(way, conversation)),
};

async function findAnswerer({ target }: Way, conversation: Parameters<typeof exchange>[0]): Promise<Finding> {
  let overtaken = 0;
  for (let round = 0; round < rounds; round += 1) {
    const { opcode, payload } = text(`before ping ${round}`);
    conversation.send(opcode, payload);
    conversation.send(opcodes.ping, Buffer.from(`ping ${round}`));
    const first = await awaitArrival(
      conversation,
      target.timeoutMs,
      (arrival) => arrival.kind === "pong" || (arrival.kind === "message" && arrival.payload.equals(payload)),
    );
    const second = await awaitArrival(conversation, target.timeoutMs, () => true);
    if (first === undefined || second === undefined || second.kind === "end") {
      return fails("a message with a ping behind it was not answered");
    }
    overtaken += first.kind === "pong" ? 1 : 0;
  }
  return overtaken === 0
    ? passes("each pong came behind the echo of the message before its ping, as from the server itself", {
        overtakes: false,
      })
    : passes(
        `${overtaken} of ${rounds} pongs came before the echo of an earlier message: ` +
          "they are answered on the way, or by the server before its messages",
        { overtakes: true },
        "if they are answered on the way, a pong does not show that the server is alive: use messages",
      );
}

const unaskedPong: Check = {
  id: "unasked-pong",
  group: "control",
  title: "unasked pongs",
  needs: ["isEcho"],
  run: (way) =>
    way.with(async (conversation) => {
      conversation.send(opcodes.pong, Buffer.from("heartbeat"));
      const missing = await exchange(conversation, text("after a pong"), way.target.timeoutMs);
      return missing === undefined
        ? passes("a pong that nobody asked for is ignored")
        : fails(`after a pong that nobody asked for: ${missing.detail}`);
    }),
};

export const controlChecks: readonly Check[] = [ping, answerer, unaskedPong];
