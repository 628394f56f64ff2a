// The closing handshake (RFC 6455, sections 5.5.1 and 7). The server echoes the code and reason of a close if uWS
// knows the code, and answers with an empty close if not.
import { closing, fragments, frame, opcode } from "../support/raw-socket.ts";
import { expected, type ProtocolCase, serverOfFile, testCases } from "./protocol-case.ts";

const { continuation, text, close, ping, pong } = opcode;
const authority = serverOfFile();
const empty = Buffer.alloc(0);

/** Codes that the server echoes. */
const known = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 4000, 4001, 4999];
/** Codes that may be sent (section 7.4.2, and IANA's registry). uWS for Node 20 answers with an empty close, later ones do not. */
const newlyKnown = [1012, 1013, 1014, 3000, 3001, 3999];
/** Codes that must not be sent; an empty close answers them too. */
const forbidden = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];

function closeWith(payload: Buffer): Buffer[] {
  return [frame(close, payload)];
}

testCases("close codes", authority, [
  ...known.flatMap((code): ProtocolCase[] => [
    { name: `${code}`, send: closeWith(closing(code)), outcome: closing(code) },
    { name: `${code} with a reason`, send: closeWith(closing(code, "why")), outcome: closing(code, "why") },
  ]),
  ...newlyKnown.map(
    (code): ProtocolCase => ({
      name: `${code} with a reason`,
      send: closeWith(closing(code, "why")),
      outcome: [empty, closing(code, "why")],
    }),
  ),
  ...forbidden.flatMap((code): ProtocolCase[] => [
    { name: `${code}`, send: closeWith(closing(code)), outcome: empty },
    { name: `${code} with a reason`, send: closeWith(closing(code, "why")), outcome: empty },
  ]),
]);

testCases("close reasons and payloads", authority, [
  { name: "no payload", send: [frame(close)], outcome: empty },
  { name: "a payload of one byte", send: [frame(close, "x")], outcome: empty },
  {
    name: "the longest reason, 123 bytes",
    send: closeWith(closing(1000, "r".repeat(123))),
    outcome: closing(1000, "r".repeat(123)),
  },
  { name: "a reason of 124 bytes", send: closeWith(closing(1000, "r".repeat(124))), outcome: "dropped" },
  {
    name: "a reason in many languages",
    send: closeWith(closing(1001, "κόσμε 水 🜁")),
    outcome: closing(1001, "κόσμε 水 🜁"),
  },
  {
    name: "a reason that is not UTF-8",
    send: closeWith(closing(1000, Buffer.from("ceba80ff", "hex"))),
    outcome: empty,
  },
  { name: "a fragmented close", send: [frame(close, closing(1000), { isFinal: false })], outcome: "dropped" },
]);

testCases("messages before and after a close", authority, [
  {
    name: "a message before it is echoed first",
    send: [frame(text, "last words"), frame(close, closing(1000))],
    gets: [expected(text, "last words")],
    outcome: closing(1000),
  },
  {
    name: "many messages before it are all echoed, in order",
    send: [
      ...Array.from({ length: 100 }, (_, i) => frame(text, `message ${i}`)),
      frame(close, closing(1000, "done")),
    ],
    gets: Array.from({ length: 100 }, (_, i) => expected(text, `message ${i}`)),
    outcome: closing(1000, "done"),
  },
  {
    name: "a message after it is not echoed",
    send: [frame(close, closing(1000)), frame(text, "too late")],
    outcome: closing(1000),
  },
  {
    name: "a ping after it is not answered",
    send: [frame(close, closing(1000)), frame(ping, "too late")],
    outcome: closing(1000),
  },
  {
    name: "a second close is not answered",
    send: [frame(close, closing(1000)), frame(close, closing(1001))],
    outcome: closing(1000),
  },
  {
    name: "a violation after it changes nothing",
    send: [frame(close, closing(1000)), frame(7, "?")],
    outcome: closing(1000),
  },
  {
    name: "a ping before it is answered first",
    send: [frame(ping, "?"), frame(close, closing(1000))],
    gets: [expected(pong, "?")],
    outcome: closing(1000),
  },
  {
    name: "the rest of a fragmented message after it is not echoed",
    send: [frame(text, "a", { isFinal: false }), frame(close, closing(1000)), frame(continuation, "b")],
    outcome: closing(1000),
  },
  {
    name: "fragments before it are echoed first",
    send: [...fragments(text, "in pieces", [3, 6]), frame(close, closing(4321, "bye"))],
    gets: [expected(text, "in pieces")],
    outcome: closing(4321, "bye"),
  },
]);
