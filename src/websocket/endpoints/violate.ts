// /violate/<what>: violates the protocol in one way, to test that a client notices it.
import { lazily } from "../../system/lazy-builtins.ts";
import { onDemand } from "./endpoint.ts";

export const violate = onDemand("violate", {
  accept(_request, { what }) {
    switch (what) {
      case "wrong-accept":
        return { key: lazily.crypto().randomBytes(16).toString("base64") };
      case "unoffered-protocol":
        return { subprotocol: "nobody-offered-this" };
      default:
        return {};
    }
  },

  open(session, { what }) {
    switch (what) {
      case "invalid-utf8":
        session.push(Buffer.from([0x66, 0xff, 0xfe]));
        break;
      case "stray-continuation":
        session.fragment("last", "the first fragment is missing");
        break;
      case "interleaved":
        session.fragment("first", "the second fragment is missing, ");
        session.push("and another message comes");
        break;
      case "unfinished":
        session.fragment("first", "the last fragment is missing");
        session.close(1000);
        break;
      case "close-1015":
        session.close(1015);
        break;
      case "long-ping":
        session.rawPing(Buffer.alloc(126, "a"));
        break;
      default:
        break;
    }
    return {};
  },
});
