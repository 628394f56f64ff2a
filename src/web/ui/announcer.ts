// Announces events in the page's one live region for screen readers, and a burst of messages once.

/** Announces state changes at once, and messages at most once per `quietMs`, with their number. */
export interface Announcer {
  /** Announces a state change at once. */
  say(sentence: string): void;
  /** Announces one more message, alone or as a number of messages. */
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
