// /origin_check: refuses every Origin but one with 403, like pywebsocket's handler of that name.
import { refuse } from "../refusals.ts";
import { echoing, onDemand } from "./endpoint.ts";

export const originCheck = onDemand("origin_check", {
  isEcho: true,
  refuse: ({ headers }, { origin }) =>
    headers["origin"] === origin
      ? undefined
      : refuse("origin", `Only pages of ${origin} may connect here.\n`),
  open: echoing,
});
