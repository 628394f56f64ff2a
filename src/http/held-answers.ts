// Delays HTTP responses until a timer fires or the server shuts down.
import type { HttpResponse } from "uWebSockets.js";

export class HeldAnswers {
  readonly #held = new Set<() => void>();

  /** Number of delayed responses. */
  get size(): number {
    return this.#held.size;
  }

  /**
   * @param done called once the response is no longer held
   * @param answer called after `delayMs`, unless the client has disconnected
   */
  hold(res: HttpResponse, delayMs: number, done: () => void, answer: () => void): void {
    const release = (): void => {
      clearTimeout(timer);
      this.#held.delete(go);
      done();
    };
    const go = (): void => {
      release();
      answer();
    };
    const timer = setTimeout(go, delayMs);
    this.#held.add(go);
    res.onAborted(() => {
      if (this.#held.has(go)) {
        release();
      }
    });
  }

  /** Sends all responses at once. */
  drain(): void {
    for (const go of this.#held) {
      go();
    }
  }
}
