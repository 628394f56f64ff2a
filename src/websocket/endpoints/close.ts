// /close: closes the connection with the code of its query, or of a text.
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

/** Parses `<code> <reason>`; the reason is optional. */
function readClose(text: string): { code: number; reason: string } | undefined {
  const [, digits = "", reason = ""] = /^(\d{4})(?: (.*))?$/s.exec(text) ?? [];
  const code = Number(digits);
  return isCloseCode(code) && Buffer.byteLength(reason) <= 123 ? { code, reason } : undefined;
}
