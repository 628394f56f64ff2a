// Reports events of a connection to the log and the screen reader.
import { formatBytes } from "../../lib/format.ts";
import type { Announcer } from "../ui/announcer.ts";
import { explainClose } from "../websocket/close-codes.ts";
import type { ClosedFacts } from "../websocket/connection.ts";
import { type MessageData, payloadBytes } from "../websocket/payload.ts";
import { eventEntry, messageEntry, type NewEntry } from "./log-entries.ts";

export interface Reporter {
  connecting(): void;
  refused(error: unknown): void;
  /**
   * @param took the duration of the handshake, in words
   * @param asked the endpoint and parameters of the URL, in words
   */
  opened(took: string, subprotocol: string, asked: string): void;
  sent(data: MessageData): void;
  received(data: MessageData, roundTripMs: number | undefined): void;
  /** @param isRepeated the previous attempt failed in the same way */
  failed(isRepeated: boolean): void;
  closed(facts: ClosedFacts, why: string, isFailure: boolean): void;
}

export function createReporter(log: (entry: NewEntry) => void, announcer: Announcer): Reporter {
  return {
    connecting: () => announcer.say("Connecting."),
    refused: (error) =>
      log(
        eventEntry("error", `The browser refused: ${error instanceof Error ? error.message : String(error)}`),
      ),
    opened(took, subprotocol, asked) {
      const chosen = subprotocol === "" ? "" : `, sub-protocol ${subprotocol}`;
      log(eventEntry("open", `Connected ${took}${chosen}`, asked));
      announcer.say("Open.");
    },
    sent: (data) => log(messageEntry("sent", data, undefined)),
    received(data, roundTripMs) {
      log(messageEntry("message", data, roundTripMs));
      announcer.message(`Message of ${formatBytes(payloadBytes(data))} received.`);
    },
    failed(isRepeated) {
      if (!isRepeated) {
        log(eventEntry("error", "The error event has no details; see the close event that follows."));
      }
    },
    closed(facts, why, isFailure) {
      const { name } = explainClose(facts);
      const reason = facts.reason === "" ? "" : `, reason “${facts.reason}”`;
      log({ ...eventEntry("close", `${facts.code} ${name}${reason}`, why), isFailure });
      announcer.say(`Closed with code ${facts.code}, ${name}.`);
    },
  };
}
