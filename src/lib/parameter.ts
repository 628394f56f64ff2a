// Describes the parameters of endpoints on demand as plain data: their kinds, limits and the types of their values.

interface Common {
  /** The description, as it follows the name in a list. */
  readonly help: string;
  /** A value to show in docs and as a placeholder. */
  readonly example: string;
  /** Parameters of which this one needs at least one. */
  readonly needs?: readonly string[];
  /** Parameters that contradict this one. */
  readonly excludes?: readonly string[];
  /** A parameter that this one may not exceed. */
  readonly atMost?: string;
}

/** The limit of the server that lowers `max`: `--endpoints-max-delay` or `--max-payload`. */
type Cap = "delay" | "payload";

/** Values are milliseconds. */
export interface DurationParameter extends Common {
  readonly kind: "duration";
  readonly min: number;
  readonly max: number;
  readonly cap?: Cap;
  readonly default?: number;
}

/** Values are bytes. With `perSecond` they may be followed by `/s`. */
export interface SizeParameter extends Common {
  readonly kind: "size";
  readonly min: number;
  readonly max: number;
  readonly perSecond?: true;
  readonly cap?: Cap;
  readonly default?: number;
}

export interface CountParameter extends Common {
  readonly kind: "count";
  readonly min: number;
  readonly max: number;
  readonly default?: number;
}

export interface ChoiceParameter extends Common {
  readonly kind: "choice";
  readonly choices: readonly string[];
  readonly default?: string;
}

/** `abrupt`, `abrupt=true` or `abrupt=false`. */
export interface FlagParameter extends Common {
  readonly kind: "flag";
}

/** UTF-8 of at most `maxBytes`, which matches the pattern. */
export interface TextParameter extends Common {
  readonly kind: "text";
  readonly maxBytes: number;
  readonly pattern?: string;
  /** The allowed texts, in words. */
  readonly expected?: string;
  readonly default?: string;
}

/** A close code that a server may send (RFC 6455, section 7.4); `none` is 0, an empty close frame. */
export interface CloseCodeParameter extends Common {
  readonly kind: "closeCode";
  readonly default?: number;
}

/** An HTTP status; 0 is no response. */
export interface StatusParameter extends Common {
  readonly kind: "status";
}

export type Parameter =
  | DurationParameter
  | SizeParameter
  | CountParameter
  | ChoiceParameter
  | FlagParameter
  | TextParameter
  | CloseCodeParameter
  | StatusParameter;

export type Parameters = Readonly<Record<string, Parameter>>;

type Raw<P extends Parameter> = P extends { kind: "choice"; choices: readonly (infer C)[] }
  ? C
  : P extends { kind: "flag" }
    ? boolean
    : P extends { kind: "text" }
      ? string
      : number;

/** Parsed values: durations in milliseconds, sizes in bytes, flags as booleans, undefined if omitted. */
export type Values<S extends Parameters> = {
  readonly [Name in keyof S]: S[Name] extends { default: unknown } | { kind: "flag" }
    ? Raw<S[Name]>
    : Raw<S[Name]> | undefined;
};

/** Limits of the server that lower a parameter's maximum. */
export interface Caps {
  readonly delay: number;
  readonly payload: number;
}

/** The limits of a server with default options; for docs and for the page. */
export const defaultCaps: Caps = { delay: 10_000, payload: 16 * 1024 * 1024 };
