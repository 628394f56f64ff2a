// Variables in messages: {{counter}}, {{time}}, {{timestamp}}, {{uuid}}. Pure: the caller brings clock and randomness.

export interface VariableSources {
  /** The number of the message, from 1. */
  readonly counter: () => number;
  readonly now: () => Date;
  readonly uuid: () => string;
}

/** The variables by name, with what each becomes. */
export const variableNames: readonly (readonly [name: string, meaning: string])[] = [
  ["counter", "1, 2, 3, ... for each message sent"],
  ["time", "the time, ISO 8601"],
  ["timestamp", "milliseconds since 1970"],
  ["uuid", "a random UUID"],
];

/** Replaces the variables in a text; anything else in double braces stays as it is. */
export function expandVariables(text: string, sources: VariableSources): string {
  if (!text.includes("{{")) {
    return text;
  }
  let counter: number | undefined;
  return text.replace(/\{\{(counter|time|timestamp|uuid)\}\}/g, (_, name: string) => {
    switch (name) {
      case "counter":
        // One message has one number, however often it is written in it.
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
