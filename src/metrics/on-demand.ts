// The families of endpoints on demand. Labels are endpoints, never what was asked of them.
import { behaviourNames } from "../lib/behaviours.ts";
import { pingRttBounds, slot } from "./counters.ts";
import type { Families } from "./prom-client.ts";
import { at, distribution, labelled } from "./reading.ts";

export function defineOnDemand(families: Families): void {
  families.gaugeBy(
    ["endpoint"],
    "echo_endpoint_connections",
    "Open connections of endpoints on demand, those of held HTTP answers included; echo is /echo with parameters",
    labelled("endpoint", behaviourNames, slot.endpointConnections),
  );
  families.counterBy(
    ["endpoint"],
    "echo_messages_pushed_total",
    "Messages that endpoints on demand sent by themselves, which are not echoes",
    labelled("endpoint", behaviourNames, slot.messagesPushed),
  );
  families.counter("echo_pushed_bytes_total", "Payload of pushed messages, in bytes", at(slot.pushedBytes));
  families.gauge(
    "echo_delayed_messages",
    "Echoes that are held because a delay or a rate was asked for",
    at(slot.delayedMessages),
  );
  families.gauge(
    "echo_delayed_bytes",
    "Memory of held echoes, in bytes; a part of echo_buffered_bytes",
    at(slot.delayedBytes),
  );
  families.counter(
    "echo_delayed_dropped_total",
    "Held echoes that were dropped because their connection ended",
    at(slot.delayedDropped),
  );
  families.counter(
    "echo_ticks_skipped_total",
    "Messages of /ticks, events of /sse, and pings, that were left out because bytes were still waiting",
    at(slot.ticksSkipped),
  );
  families.counter("echo_fragments_sent_total", "Fragments of echoes sent", at(slot.fragmentsSent));
  families.counter("echo_pings_sent_total", "Pings that were asked for and sent", at(slot.pingsSent));
  families.counter("echo_pongs_received_total", "Pongs that answered these pings", at(slot.pongsReceived));
  families.histogram(
    "echo_ping_rtt_seconds",
    "Round trip of these pings",
    distribution(pingRttBounds, slot.pingRtt, slot.pingRttSum),
  );
}
