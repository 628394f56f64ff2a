// Expands variables in messages: {{counter}}, {{time}}, {{timestamp}}, {{uuid}}. Pure: the caller passes clock and randomness.

export interface VariableSources {
  /** The number of the message, from 1. */
  readonly counter: () => number;
  readonly now: () => Date;
  readonly uuid: () => string;
}

/** The variables with their descriptions. */
export const variableNames: readonly (readonly [name: string, meaning: string])[] = [
  ["counter", "1, 2, 3, ... for each message sent"],
  ["time", "the time, ISO 8601"],
  ["timestamp", "milliseconds since 1970"],
  ["uuid", "a random UUID"],
];

/** Replaces the variables in a text; other names in double braces stay. */
export function expandVariables(text: string, sources: VariableSources): string {
  if (!text.includes("{{")) {
    return text;
  }
  let counter: number | undefined;
  return text.replace(/\{\{(counter|time|timestamp|uuid)\}\}/g, (_, name: string) => {
    switch (name) {
      case "counter":
        // All counters of one message have the same number.
        counter ??= sources.counter();
        return String(counter);
      case "time":
        return sources.now().toISOString();
      case "timestamp":
        return String(sources.now().getTime());
      default:
        return sources.uuid();
    }
  });
}
