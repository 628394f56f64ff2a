// /inspect over WebSocket: sends the handshake as the server received it, without secrets and not to foreign pages, then
// echoes.
import { echoing, onDemand } from "./endpoint.ts";

export const inspect = onDemand("inspect", {
  isEcho: true,
  wantsHandshake: () => true,
  open(session, _asked, handshake) {
    session.push(handshake);
    return echoing(session);
  },
});
