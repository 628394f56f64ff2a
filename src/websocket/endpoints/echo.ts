// /echo with parameters: delays, slows down or fragments replies, closes early, sends pings or a greeting.
import { echoing, onDemand } from "./endpoint.ts";
import type { Asked, Session } from "./session.ts";

export const echo = onDemand("echo", {
  isEcho: true,

  accept: (_request, { handshake_delay, compression, protocol }) => ({
    ...(handshake_delay !== undefined && { delayMs: handshake_delay }),
    ...(protocol !== undefined && { subprotocol: protocol === "none" ? "" : protocol }),
    declinesExtensions: compression === "off",
  }),

  wantsHandshake: ({ greet }) => greet === "inspect",

  open(session, asked, handshake) {
    greet(session, asked, handshake);
    if (asked.ping !== undefined) {
      session.every(asked.ping, () => {
        session.ping();
        return true;
      });
    }
    if (asked.close_in !== undefined) {
      session.after(asked.close_in, () => end(session, asked));
    }
    const { delay = 0, jitter = 0, rate = 0, fragment = 0, fragment_delay = 0 } = asked;
    if (delay + rate + fragment > 0) {
      session.pace({
        delayMs: delay,
        jitterMs: jitter,
        bytesPerSecond: rate,
        fragmentBytes: fragment,
        fragmentDelayMs: fragment_delay,
      });
    }
    const { close_after } = asked;
    if (close_after === undefined) {
      return echoing(session);
    }
    let taken = 0;
    return {
      message(message, isBinary) {
        taken++;
        if (taken < close_after) {
          session.echo(message, isBinary);
        } else if (taken === close_after) {
          session.echo(message, isBinary, () => end(session, asked));
        } else {
          // The last echo may still be delayed.
          session.ignore(message, isBinary);
        }
      },
    };
  },
});

function greet(session: Session, { greet: wanted }: Asked<"echo">, handshake: string): void {
  if (wanted !== undefined) {
    session.push(wanted === "instance" ? session.parts.instance : wanted === "inspect" ? handshake : wanted);
  }
}

function end(session: Session, { abrupt, code = 1000, reason }: Asked<"echo">): void {
  if (abrupt) {
    session.abort();
  } else {
    session.close(code, reason);
  }
}
