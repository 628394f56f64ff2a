// The families of TLS.
import type { Sample } from "../lib/bulk-histogram.ts";
import { slot, tlsFailures } from "./counters.ts";
import type { ProcessSample } from "./process-sampler.ts";
import type { Families } from "./prom-client.ts";
import { at, labelled } from "./reading.ts";

export function defineTls(families: Families, samples: () => readonly ProcessSample[]): void {
  families.counterBy(
    ["version"],
    "echo_tls_handshakes_total",
    "Completed TLS handshakes, by version",
    (stats) => [
      [{ version: "1.2" }, stats[slot.tlsHandshakes12] ?? 0],
      [{ version: "1.3" }, stats[slot.tlsHandshakes13] ?? 0],
    ],
  );
  families.counterBy(
    ["reason"],
    "echo_tls_failures_total",
    "TLS connections refused before the handshake or failed during it, by reason",
    labelled("reason", tlsFailures, slot.tlsFailures),
  );
  families.gauge("echo_tls_handshakes", "TLS handshakes in progress", at(slot.tlsPendingHandshakes));
  families.gauge(
    "echo_tls_buffered_bytes",
    "Bytes buffered for slow readers in the TLS layer, in addition to echo_buffered_bytes",
    at(slot.tlsHeldBytes),
  );
  families.counter(
    "echo_tls_overflows_total",
    "TLS clients dropped because the TLS layer buffered more than half of --max-buffered",
    at(slot.tlsHeldOverflows),
  );
  families.counterBy(
    ["result"],
    "echo_tls_reloads_total",
    "Reloads of the TLS files: ok, or failed, which keeps the old ones",
    (stats) => [
      [{ result: "ok" }, stats[slot.tlsReloads] ?? 0],
      [{ result: "failed" }, stats[slot.tlsReloadsFailed] ?? 0],
    ],
  );
  families.gaugeBy(
    ["worker"],
    "echo_tls_certificate_expiry_timestamp_seconds",
    "When the certificate in use expires, in seconds since 1970",
    () =>
      samples().flatMap(({ worker, certificateExpirySeconds: expiry }): Sample[] =>
        expiry === undefined ? [] : [[{ worker }, expiry]],
      ),
  );
}
