// The options of the connection to a WebSocket target: headers, sub-protocols, trust, addresses.

import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { resolve } from "node:path";
import { createSecureContext } from "node:tls";
import type { Command } from "commander";
import { z } from "zod";
import { tokenCharacters, tokenPattern } from "../../src/lib/token.ts";
import { parseNumber } from "../../src/lib/units.ts";
import type { Endpoint } from "../engine/connection.ts";
import { hostOf } from "../engine/route.ts";
import { placeholders, readPlaceholders, type TemplateLines } from "../engine/template.ts";
import {
  collect,
  commonShape,
  fileSchema,
  linesOf,
  listSchema,
  quantity,
  type ValuesOf,
  whole,
} from "./option-schemas.ts";

/** Maximum length in characters. */
const mostFirstMessage = 64 * 1024;

/** The allowed values of these options. */
export const targetShape = {
  timeout: commonShape.timeout,
  header: commonShape.header,
  subprotocol: z.array(z.string().regex(tokenPattern, `must be a token: ${tokenCharacters}`)),
  origin: z.string().regex(/^\S+$/, "must not contain white space").optional(),
  ca: fileSchema.optional(),
  insecure: z.boolean().optional(),
  cert: fileSchema.optional(),
  key: fileSchema.optional(),
  servername: z
    .string()
    .regex(/^(?!-)[\w.-]+$/, "must be a host name, as in echo.example.com")
    .optional(),
  resolve: z.array(
    z.string().refine(isResolution, {
      error: ({ input }) => `"${input}" is not HOST:IP, as in echo.example.com:10.0.0.7`,
    }),
  ),
  source: listSchema
    .pipe(
      z.array(
        z.string().refine(isOwnAddress, {
          error: ({ input }) => `"${input}" is not an IP address of this machine`,
        }),
      ),
    )
    .optional(),
  firstMessage: z.string().max(mostFirstMessage, "must not be longer than 64 KiB").optional(),
  firstReplies: quantity(parseNumber, whole(0, 1000)).optional(),
};

export type TargetValues = ValuesOf<typeof targetShape>;

/** Of commands that send more than single messages. */
export const deflateOption = [
  "--deflate",
  "offer permessage-deflate; --engine raw compresses before the load",
] as const;

/** Adds these options to a command. */
export function addTargetOptions(command: Command): Command {
  return command
    .optionsGroup("Target:")
    .option("-H, --header <name: value>", "header for the handshake (repeatable)", collect, [])
    .option("--subprotocol <name>", "sub-protocol to offer (repeatable)", collect, [])
    .option("--origin <origin>", "Origin header")
    .option("--ca <file>", "PEM certificates to trust instead of the system's")
    .option("--insecure", "accept any certificate")
    .option("--cert <file>", "PEM certificate for a target that requests one; with --key")
    .option("--key <file>", "PEM private key of --cert")
    .option("--servername <name>", "name for SNI and for checking the certificate (default: the URL's host)")
    .option("--resolve <host:ip>", "address to use for a host name (repeatable)", collect, [])
    .option(
      "--source <addresses>",
      "IP addresses of this machine to connect from, by commas; each allows about 28,000 connections",
    )
    .option("--timeout <time>", "time limit for a handshake, and for the last replies", "10s")
    .optionsGroup("");
}

/** Adds the options of what each connection of a load sends first. */
export function addFirstMessageOptions(command: Command): Command {
  return command
    .optionsGroup("Target:")
    .option(
      "--first-message <text>",
      "text message that each connection sends before its load, such as a token; its replies are not checked",
    )
    .option(
      "--first-replies <number>",
      "messages to wait for after --first-message (default: those before the pong of a ping sent with it)",
    )
    .optionsGroup("");
}

/** The problems of the URL of a WebSocket target. */
export function urlProblems(url: string): string[] {
  if (!URL.canParse(url) || !/^wss?:\/\//i.test(url)) {
    return [`"${url}" is not a WebSocket URL: write ws://host:port/path or wss://host:port/path`];
  }
  const { hash, username, password, host } = new URL(url);
  return [
    hash !== "" && `"${url}" has a fragment (${hash}), which RFC 6455 does not allow in a WebSocket URL`,
    username + password !== "" && `"${url}" holds credentials: use --header "Authorization: ..." instead`,
    /%7b/i.test(host) && `"${url}" has a placeholder in its host: only path and query can have one`,
  ].filter((problem) => problem !== false);
}

/** Options that are each valid but not together, for a valid URL. */
export function targetConflicts(values: Partial<TargetValues>, url: string): string[] {
  const { ca, insecure, cert, key, servername } = values;
  const isSecure = /^wss:/i.test(url);
  const onlyForTls = { ca, insecure: insecure === true || undefined, cert, key, servername };
  return [
    ...Object.entries(onlyForTls).map(
      ([name, value]) => !isSecure && value !== undefined && `--${name} needs a wss:// target`,
    ),
    ca !== undefined && insecure === true && "--ca and --insecure contradict each other",
    (cert === undefined) !== (key === undefined) && "--cert and --key belong together: give both",
    ...(isSecure ? [pemProblem(values)] : []),
    values.firstReplies !== undefined &&
      values.firstMessage === undefined &&
      "--first-replies needs --first-message",
  ].filter((problem) => typeof problem === "string");
}

/** What placeholders need, read once: a file may be a pipe. */
export interface Templates {
  readonly problems: readonly string[];
  /** Undefined without placeholders. */
  readonly lines: TemplateLines | undefined;
}

/** Reads the files of placeholders, which can be in URLs, in the values of headers, and in the first message. @param folder that relative paths count from */
export function readTemplates(
  values: Partial<TargetValues>,
  urls: readonly string[],
  folder = "",
): Templates {
  const texts = [...urls, ...(values.header ?? []).map(([, value]) => value), values.firstMessage ?? ""];
  const found = texts.map(readPlaceholders);
  const problems = found
    .flatMap(({ unknown }) => unknown)
    .map((each) => `${each} is not a placeholder: ${placeholders} are`);
  const lines: Record<string, readonly string[]> = {};
  for (const file of new Set(found.flatMap(({ files }) => files))) {
    const read = linesOf(folder === "" ? file : resolve(folder, file));
    if (typeof read === "string") {
      problems.push(read);
    } else {
      lines[file] = read;
    }
  }
  return { problems, lines: found.every(({ count }) => count === 0) ? undefined : lines };
}

/** The part of an endpoint from these options. @param values valid options */
export function endpointOf(
  url: string,
  values: TargetValues,
  { lines }: Templates,
): Omit<Endpoint, "deflate" | "payloads" | "type" | "verify"> {
  return {
    url,
    headers: values.header,
    subprotocols: values.subprotocol,
    origin: values.origin,
    timeoutMs: values.timeout,
    templateLines: lines,
    firstMessage:
      values.firstMessage === undefined
        ? undefined
        : { text: values.firstMessage, replies: values.firstReplies },
    caPem: values.ca,
    insecure: values.insecure ?? false,
    certPem: values.cert,
    keyPem: values.key,
    servername: values.servername,
    addresses: addressesOf(values.resolve),
  };
}

/** OpenSSL's error about certificates and key, if any. */
function pemProblem({ ca, cert, key }: Partial<TargetValues>): string | false {
  try {
    createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
    return false;
  } catch (error) {
    return `--ca, --cert and --key must be PEM files, and the key that of the certificate: ${(error as Error).message}`;
  }
}

function isResolution(text: string): boolean {
  const [, host = "", address = ""] = /^([^:]+):(.+)$/.exec(text) ?? [];
  return URL.canParse(`ws://${host}/`) && isIP(address) !== 0;
}

function addressesOf(resolutions: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    resolutions.map((text) => {
      const colon = text.indexOf(":");
      return [hostOf(`ws://${text.slice(0, colon)}/`), text.slice(colon + 1)];
    }),
  );
}

/** The whole of 127.0.0.0/8 is ours on Linux. */
function isOwnAddress(address: string): boolean {
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return (
    (isIP(address) === 4 && address.startsWith("127.") && process.platform === "linux") ||
    own.some((each) => each.address === address)
  );
}
