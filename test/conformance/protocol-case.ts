// Runs tables of protocol cases: frames to send, expected replies, and the expected state of the connection.
import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { type ConfigInput, type EchoServer, startEchoServer } from "../../src/index.ts";
import { type Frame, frame, opcode, openRaw, type RawSocket } from "../support/raw-socket.ts";

/** An expected frame: final, and without reserved bits. */
export type Expected = Pick<Frame, "opcode" | "payload">;

export interface ProtocolCase {
  readonly name: string;
  readonly send: readonly Buffer[];
  /** Expected frames, in this order; none by default. */
  readonly gets?: readonly Expected[];
  /**
   * The final state: `open`, the connection still answers a ping; `dropped`, uWS ended the TCP connection without a close
   * frame, as for every violation (a browser reports 1006); a payload, the server closed with it, or with one of
   * several.
   */
  readonly outcome: "open" | "dropped" | Buffer | readonly Buffer[];
}

/** How the bytes of a case are split, in bytes per piece. */
const cuts = [
  { how: "in one piece", pieceBytes: Number.POSITIVE_INFINITY },
  { how: "byte by byte", pieceBytes: 1 },
];
/** Above this, byte by byte takes too long. */
const smallBytes = 2000;

export function expected(code: number, payload: Uint8Array | string): Expected {
  return { opcode: code, payload: Buffer.from(payload) };
}

/** Starts one server for all tests of a file. */
export function serverOfFile(options: ConfigInput = {}): () => string {
  let server: EchoServer | undefined;
  before(async () => {
    server = await startEchoServer({ drainTimeout: 1000, ...options });
  });
  after(() => server?.stop());
  return () => `127.0.0.1:${server?.port}`;
}

/** Defines a test for each case, and for each way to split its bytes. */
export function testCases(family: string, authority: () => string, cases: readonly ProtocolCase[]): void {
  for (const { how, pieceBytes } of cuts) {
    test(`${family}, ${how}`, async (t) => {
      for (const each of cases) {
        const bytes = Buffer.concat(each.send);
        if (bytes.length > smallBytes && pieceBytes === 1) {
          continue;
        }
        await t.test(each.name, (t) => runCase(t, authority(), each, bytes, pieceBytes));
      }
    });
  }
}

async function runCase(
  t: TestContext,
  authority: string,
  { gets = [], outcome }: ProtocolCase,
  bytes: Buffer,
  pieceBytes: number,
): Promise<void> {
  const raw = await openRaw(t, authority);
  await raw.send(bytes, pieceBytes);
  for (const each of gets) {
    await assertNextFrame(raw, each);
  }
  if (outcome === "open") {
    await assertOpen(raw);
  } else {
    await assertEnded(raw, ...(outcome === "dropped" ? [] : [outcome].flat()));
  }
}

export async function assertNextFrame(raw: RawSocket, { opcode, payload }: Expected): Promise<void> {
  const got = await raw.readFrame();
  // Payloads may be of many MiB: equals() is quick, and deepEqual would print them.
  const isSame = got.payload.equals(payload);
  assert.deepEqual(
    { ...got, payload: undefined, bytes: got.payload.length, isSame },
    { opcode, payload: undefined, isFinal: true, reserved: 0, bytes: payload.length, isSame: true },
  );
}

/** Asserts that nothing more arrives, and that the connection still works. */
export async function assertOpen(raw: RawSocket): Promise<void> {
  await raw.send(frame(opcode.ping, "still here?"));
  await assertNextFrame(raw, expected(opcode.pong, "still here?"));
}

/** Asserts that the server ended the connection: with one of the payloads in a close frame, or without a close frame. */
export async function assertEnded(raw: RawSocket, ...closePayloads: Buffer[]): Promise<void> {
  if (closePayloads.length > 0) {
    const { opcode: code, payload } = await raw.readFrame();
    assert.equal(code, opcode.close);
    assert.ok(
      closePayloads.some((each) => each.equals(payload)),
      `closed with ${payload.toString("hex")}`,
    );
  }
  assert.deepEqual(await raw.ended(), Buffer.alloc(0), "nothing comes after the end");
}
