// Answers that go out after a while, or when the server shuts down.
import type { HttpResponse } from "uWebSockets.js";

export class HeldAnswers {
  readonly #held = new Set<() => void>();

  /** Answers that are held. */
  get size(): number {
    return this.#held.size;
  }

  /**
   * @param done called once the answer is no longer held
   * @param answer called after `delayMs`, unless the client has gone
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

  /** Sends everything at once. */
  drain(): void {
    for (const go of this.#held) {
      go();
    }
  }
}
