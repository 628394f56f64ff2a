// /benchmark_helper: the server side of a browser benchmark, like pywebsocket's handler of that name.
import { onDemand } from "./endpoint.ts";

export const benchmarkHelper = onDemand("benchmark_helper", {
  open(session) {
    const { maxPayload } = session.parts;
    /** Set by `send`: the next message is data. */
    let awaited: { readonly isVerified: boolean } | undefined;
    const fail = (): void => session.close(1011, "expected receive <n>, or send <0|1> and a message");
    return {
      message(message, isBinary) {
        if (awaited !== undefined) {
          const { isVerified } = awaited;
          awaited = undefined;
          if (isVerified && Buffer.from(message).some((byte) => byte !== 0x61)) {
            fail();
          } else {
            session.push(`${message.byteLength}`);
          }
          return;
        }
        const [, verb, digits] =
          /^(receive|send) (\d{1,10})$/.exec(isBinary ? "" : Buffer.from(message).toString()) ?? [];
        const number = Number(digits);
        if (verb === "receive" && number <= maxPayload) {
          session.push(Buffer.alloc(number, "a"), true);
        } else if (verb === "send" && number <= 1) {
          awaited = { isVerified: number === 1 };
        } else {
          fail();
        }
      },
    };
  },
});
