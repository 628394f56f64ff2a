// Fills in placeholders that differ per connection, in the URL, in headers and in the first message:
// `{connection}`, `{sequence}`, `{uuid}` and `{line:FILE}`.

import { randomUUID } from "node:crypto";
import type { Endpoint } from "./connection.ts";
import { at } from "./payload.ts";

/** Numbers connections over all threads and generators of a run; plain data. */
export interface Numbering {
  readonly first: number;
  readonly step: number;
}

/** The numbering of the only thread of the only generator. */
export const wholeRun: Numbering = { first: 0, step: 1 };

/** Lines of the files of `{line:FILE}`, by file name. */
export type TemplateLines = Readonly<Record<string, readonly string[]>>;

/** A placeholder. A brace before anything but a letter, as in JSON, is text. */
const placeholder = /\{([a-z]+)(?::([^{}]*))?\}/gi;
/** The allowed placeholders, for error messages. */
export const placeholders = "{connection}, {sequence}, {uuid} and {line:FILE}";

/** The placeholders that are used, and those that are not known. */
export function readPlaceholders(text: string): { files: string[]; unknown: string[]; count: number } {
  const files: string[] = [];
  const unknown: string[] = [];
  const found = [...text.matchAll(placeholder)];
  for (const [whole, name = "", argument] of found) {
    if (name === "line" && argument !== undefined && argument !== "") {
      files.push(argument);
    } else if (!["connection", "sequence", "uuid"].includes(name) || argument !== undefined) {
      unknown.push(whole);
    }
  }
  return { files, unknown, count: found.length };
}

type Personal = Pick<Endpoint, "url" | "headers" | "firstMessage">;
type Template = Personal & Pick<Endpoint, "templateLines">;

/**
 * Makes the function that gives each handshake its URL, headers and first message. `{connection}` is the number of the connection in
 * the run, from 0, and stays when it connects again; `{sequence}` counts handshakes, `{line:FILE}` is the line of the
 * file with the number of the connection, from the top again after the last one.
 */
export function personalise(endpoint: Template, { first, step }: Numbering): (index: number) => Personal {
  const { templateLines, firstMessage } = endpoint;
  if (templateLines === undefined) {
    return () => endpoint;
  }
  let handshakes = 0;
  return (index) => {
    const connection = first + index * step;
    const sequence = first + handshakes * step;
    handshakes += 1;
    const fill = (text: string, encode: (value: string) => string): string =>
      text.replace(placeholder, (whole, name: string, file: string | undefined) => {
        switch (name) {
          case "connection":
            return String(connection);
          case "sequence":
            return String(sequence);
          case "uuid":
            return randomUUID();
          default: {
            const lines = templateLines[file ?? ""];
            return lines === undefined ? whole : encode(at(lines, connection));
          }
        }
      });
    return {
      url: fill(endpoint.url, encodeURIComponent),
      headers: endpoint.headers.map(([name, value]) => [name, fill(value, asItIs)] as const),
      firstMessage: firstMessage && { ...firstMessage, text: fill(firstMessage.text, asItIs) },
    };
  };
}

function asItIs(line: string): string {
  return line;
}
