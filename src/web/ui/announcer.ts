// The page's one live region for screen readers. It announces a burst of events once.

/** Says important things at once, and messages at most once in `quietMs`, counted. */
export interface Announcer {
  /** A change of state, said at once. */
  say(sentence: string): void;
  /** One more message arrived; said alone, or as a number of messages. */
  message(sentence: string): void;
}

const quietMs = 4000;

/** @param write puts a sentence into the live region */
export function createAnnouncer(write: (sentence: string) => void): Announcer {
  let waiting = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    if (waiting > 0) {
      write(waiting === 1 ? "1 more message received." : `${waiting} more messages received.`);
      waiting = 0;
      timer = setTimeout(flush, quietMs);
    }
  };
  return {
    say: write,
    message(sentence) {
      if (timer === undefined) {
        write(sentence);
        timer = setTimeout(flush, quietMs);
      } else {
        waiting += 1;
      }
    },
  };
}
