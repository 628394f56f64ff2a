import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createStats, slot } from "../../../src/metrics/counters.ts";
import { DescriptorGuard } from "../../../src/server/descriptor-guard.ts";
import type { Listener } from "../../../src/server/listener.ts";
import { silentLog } from "../../../src/system/log.ts";

/** A guard over a listener that only remembers whether it listens. */
function guarded(t: TestContext, limit: number) {
  const listener = { isListening: true, canReopen: true };
  const fake = {
    name: "main",
    close: () => {
      listener.isListening = false;
    },
    reopen: () => {
      listener.isListening ||= listener.canReopen;
      return listener.isListening;
    },
  };
  const stats = createStats();
  const guard = new DescriptorGuard(limit, fake as unknown as Listener, stats, silentLog());
  t.after(() => guard.stop());
  const open = (count: number): void => {
    for (let i = 0; i < count; i++) {
      guard.opened();
    }
  };
  const close = (count: number): void => {
    for (let i = 0; i < count; i++) {
      guard.closed();
    }
  };
  return { guard, listener, stats, open, close };
}

test("listening stops when the limit is reached, and is counted once", (t) => {
  const { listener, stats, open } = guarded(t, 100);
  open(99);
  assert.equal(listener.isListening, true);
  open(1);
  assert.equal(listener.isListening, false);
  open(5);
  assert.equal(stats[slot.listenPauses], 1);
  assert.equal(stats[slot.sockets], 105);
});

test("listening starts again only when a margin is free, so that it does not flap", (t) => {
  const { listener, open, close } = guarded(t, 100);
  open(100);
  close(4);
  assert.equal(listener.isListening, false);
  close(1);
  assert.equal(listener.isListening, true);
});

test("a port that cannot be opened again is tried with the next socket that closes", (t) => {
  const { listener, open, close } = guarded(t, 100);
  open(100);
  listener.canReopen = false;
  close(10);
  assert.equal(listener.isListening, false);
  listener.canReopen = true;
  close(1);
  assert.equal(listener.isListening, true);
});

test("after stop, as in a shutdown, it does not listen again", (t) => {
  const { guard, listener, open, close } = guarded(t, 100);
  open(100);
  guard.stop();
  close(100);
  assert.equal(listener.isListening, false);
});
