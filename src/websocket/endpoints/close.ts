// /close: ends the connection as its query says, or as each text says.
import { isCloseCode } from "../../lib/parameters.ts";
import { onDemand } from "./endpoint.ts";

export const close = onDemand("close", {
  open(session, { code, reason, after, abrupt }) {
    if (code === undefined && reason === undefined && after === undefined && !abrupt) {
      return {
        message(message, isBinary) {
          const wanted = isBinary ? undefined : readClose(Buffer.from(message).toString());
          session.close(wanted?.code ?? 1008, wanted?.reason ?? "expected <code> <reason>");
        },
      };
    }
    const end = (): void => (abrupt ? session.abort() : session.close(code ?? 1000, reason));
    if (after === undefined) {
      end();
    } else {
      session.after(after, end);
    }
    return {};
  },
});

/** Reads `<code> <reason>`; the reason may be missing. */
function readClose(text: string): { code: number; reason: string } | undefined {
  const [, digits = "", reason = ""] = /^(\d{4})(?: (.*))?$/s.exec(text) ?? [];
  const code = Number(digits);
  return isCloseCode(code) && Buffer.byteLength(reason) <= 123 ? { code, reason } : undefined;
}
