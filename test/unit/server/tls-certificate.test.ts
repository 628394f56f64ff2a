import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { test } from "node:test";
import { resolveConfig } from "../../../src/config/resolve.ts";
import { createStats, slot } from "../../../src/metrics/counters.ts";
import { Certificate } from "../../../src/server/tls-certificate.ts";
import { silentLog } from "../../../src/system/log.ts";
import { makeCertificates } from "../../support/certificates.ts";
import { waitUntil } from "../../support/wait.ts";

test("files that are replaced right after the start are noticed", async (t) => {
  const [old, fresh] = [await makeCertificates(t), await makeCertificates(t)];
  const { config } = resolveConfig({ tlsCert: old.cert, tlsKey: old.key });
  const stats = createStats();
  const certificate = new Certificate(config, stats, silentLog(), () => undefined);
  t.after(() => certificate.stop());
  copyFileSync(fresh.cert, old.cert);
  copyFileSync(fresh.key, old.key);
  await waitUntil(() => stats[slot.tlsReloads] === 1, "the new pair to be read", 30_000);
  assert.equal(stats[slot.tlsReloadsFailed], 0);
});
