// Reports that a command started, but has no result.

import { UwsEchoError } from "../../src/lib/errors.ts";

export class NothingError extends UwsEchoError<"ERR_NOTHING"> {
  override readonly name = "NothingError";
  readonly reason: string;

  /** @param done the participle of the sentence "nothing was ..." */
  constructor(reason: string, done = "measured") {
    super("ERR_NOTHING", `nothing was ${done}: ${reason}`);
    this.reason = reason;
  }
}
