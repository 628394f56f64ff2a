// A process that touches a given amount of memory and does nothing else: its resident memory is known to a page.
// Arguments: `each BYTES` for every byte on standard input, `leak BYTES_PER_SECOND`, or `saw BYTES_PER_SECOND SECONDS`,
// after which all is released. Needs --expose-gc and a small --max-semi-space-size.
import { closeSync, openSync, readSync } from "node:fs";

const [mode = "", amount = 0, seconds = 0] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const reservedBytes = 1024 * 1024 * 1024;
const pageBytes = 4096;
const pollMs = 100;
/** Never notified, so that a wait on it lasts until its timeout. */
const never = new Int32Array(new SharedArrayBuffer(4));

let kept = Buffer.alloc(0);
let touched = 0;

/** Maps memory, which is not resident until written to. */
function reserve() {
  kept = Buffer.alloc(reservedBytes);
  touched = 0;
}

function touchUpTo(bytes) {
  for (; touched < bytes; touched += pageBytes) {
    kept[touched] = 1;
  }
}

function sleep(ms) {
  Atomics.wait(never, 0, 0, ms);
}

/** Touches the memory that reading and its garbage will use, so that only kept memory grows. */
function settle() {
  const zeros = openSync("/dev/zero", "r");
  const input = Buffer.alloc(65_536);
  for (let i = 0; i < 50_000; i += 1) {
    readSync(zeros, input, 0, 1 + (i & 255));
  }
  closeSync(zeros);
  globalThis.gc();
}

function keepEach() {
  const input = Buffer.alloc(65_536);
  for (let connections = 0, count = 1; count > 0; connections += count) {
    count = readSync(0, input);
    touchUpTo((connections + count) * amount);
  }
}

/** Ends with its parent: a sleeping process does not notice the end of its standard input. */
function grow(untilSeconds) {
  const parent = process.ppid;
  const started = performance.now();
  for (let elapsed = 0; elapsed < untilSeconds && process.ppid === parent; ) {
    sleep(pollMs);
    elapsed = (performance.now() - started) / 1000;
    touchUpTo(elapsed * amount);
  }
  return process.ppid === parent;
}

settle();
reserve();
process.stdout.write("ready\n");
if (mode === "each") {
  keepEach();
} else {
  while (grow(mode === "saw" ? seconds : Number.POSITIVE_INFINITY)) {
    reserve();
    globalThis.gc();
  }
}
