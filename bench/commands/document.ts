// Prints and stores the documents of commands.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { type Look, lookFor } from "../../src/lib/terminal.ts";
import type { Conclusion } from "../report/checks/conclusion.ts";
import { type ConcludedDocument, concludeDocument } from "../report/checks/document.ts";
import { StoreError, writeOnce } from "../result/store.ts";
import { tellCi } from "./ci-output.ts";
import { withoutSecrets } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import type { OutputOptions } from "./outcome.ts";

/** The folder of documents without --out. */
const defaultFolder = "uws-echo-bench-results";

export interface Told<D> {
  readonly document: D;
  readonly schema: z.ZodType<D>;
  readonly text: (document: D, look: Look) => string;
  /** For CI. */
  readonly conclude: (command: string, document: D) => Conclusion;
  readonly output: OutputOptions;
}

/** The fields of every kind of document. */
interface Document {
  readonly kind: string;
  readonly startedAt: string;
  readonly failures: readonly string[];
  readonly command: readonly string[] | null;
}

/** Prints the document of a session and writes it to its file. @returns the exit code */
export function tellDocument<D extends Document & ConcludedDocument>(
  told: Omit<Told<D>, "conclude">,
): number {
  return tellConcluded<D>({ ...told, conclude: concludeDocument });
}

/** Prints the document and writes it to its file. @returns the exit code */
export function tellConcluded<D extends Document>(told: Told<D>): number {
  const { schema, text, output, conclude } = told;
  const { json = false, out } = output;
  const document = { ...told.document, command: withoutSecrets(process.argv.slice(2)) };
  process.stdout.write(json ? `${JSON.stringify(document)}\n` : text(document, lookFor(process.stdout)));
  const path = out ?? (json ? undefined : defaultPath(document));
  const isKept = path === undefined || keep(path, document, json);
  const parsed = schema.safeParse(document);
  if (!parsed.success) {
    process.stderr.write(
      `error: the document does not match its own schema, which is a fault of uws-echo-bench; it is kept as it is:\n${z.prettifyError(parsed.error)}\n`,
    );
    return exitCodes.crashed;
  }
  const isTold = tellCi(output, () => conclude(nameOf(document), document));
  return document.failures.length > 0 || !isKept || !isTold ? exitCodes.notAcceptable : exitCodes.good;
}

/** Writes it to its file, or else to standard output: a measurement is never lost. */
function keep(path: string, document: Document, isPrinted: boolean): boolean {
  try {
    writeOnce(path, `${JSON.stringify(document, null, 2)}\n`);
    process.stderr.write(`${nameOf(document)}: ${path}\n`);
    return true;
  } catch (error) {
    if (!(error instanceof StoreError)) {
      throw error;
    }
    process.stderr.write(`error: ${error.message}; it is on the standard output instead\n`);
    if (!isPrinted) {
      process.stdout.write(`${JSON.stringify(document)}\n`);
    }
    return false;
  }
}

/** `idle-20261122T163000.123Z-9f3a61c0.json` */
function defaultPath(document: Document): string {
  const time = document.startedAt.replace(/[-:]/g, "");
  return join(defaultFolder, `${nameOf(document)}-${time}-${randomBytes(4).toString("hex")}.json`);
}

function nameOf({ kind }: Document): string {
  return kind.slice(kind.lastIndexOf("/") + 1);
}
