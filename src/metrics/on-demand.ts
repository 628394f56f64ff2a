// The metric families of endpoints on demand, labelled by endpoint.
import { behaviourNames } from "../lib/behaviours.ts";
import { pingRttBounds, slot } from "./counters.ts";
import type { Families } from "./prom-client.ts";
import { at, distribution, labelled } from "./reading.ts";

export function defineOnDemand(families: Families): void {
  families.gaugeBy(
    ["endpoint"],
    "echo_endpoint_connections",
    "Open connections of endpoints on demand, delayed HTTP responses included; echo is /echo with parameters",
    labelled("endpoint", behaviourNames, slot.endpointConnections),
  );
  families.counterBy(
    ["endpoint"],
    "echo_messages_pushed_total",
    "Messages that endpoints on demand sent by themselves, not as echoes",
    labelled("endpoint", behaviourNames, slot.messagesPushed),
  );
  families.counter("echo_pushed_bytes_total", "Payload of pushed messages, in bytes", at(slot.pushedBytes));
  families.gauge(
    "echo_delayed_messages",
    "Echoes that wait because the client requested a delay or a rate",
    at(slot.delayedMessages),
  );
  families.gauge(
    "echo_delayed_bytes",
    "Memory of delayed echoes, in bytes; a part of echo_buffered_bytes",
    at(slot.delayedBytes),
  );
  families.counter(
    "echo_delayed_dropped_total",
    "Delayed echoes that were dropped because their connection ended",
    at(slot.delayedDropped),
  );
  families.counter(
    "echo_ticks_skipped_total",
    "Messages of /ticks, events of /sse, and pings that were skipped because bytes were still buffered",
    at(slot.ticksSkipped),
  );
  families.counter("echo_fragments_sent_total", "Fragments of echoes sent", at(slot.fragmentsSent));
  families.counter("echo_pings_sent_total", "Pings sent on a client's request", at(slot.pingsSent));
  families.counter("echo_pongs_received_total", "Pongs received for these pings", at(slot.pongsReceived));
  families.histogram(
    "echo_ping_rtt_seconds",
    "Round-trip time of these pings",
    distribution(pingRttBounds, slot.pingRtt, slot.pingRttSum),
  );
}
