// Defines the interface of an endpoint on demand: how it refuses, accepts, and reacts to open, message, drain and close.
import type { HttpResponse } from "uWebSockets.js";
import type { RequestHeaders } from "../../http/headers.ts";
import type { Reply } from "../../http/reply.ts";
import type { BehaviourName } from "../../lib/behaviours.ts";
import type { Asked as AskedInHandshake } from "../handshake.ts";
import type { Refusal } from "../refusals.ts";
import type { Acceptance } from "../upgrade.ts";
import type { Asked, Reactions, Session } from "./session.ts";

/** A valid handshake, which the endpoint may still refuse. */
export interface HandshakeRequest {
  readonly headers: RequestHeaders;
  readonly asked: AskedInHandshake;
  readonly path: string;
}

/** How an endpoint accepts a handshake. */
export interface Choice extends Acceptance {
  /** Milliseconds to wait before the response. */
  readonly delayMs?: number;
}

/** An HTTP request with a response that stays open. */
export interface HeldRequest {
  readonly res: HttpResponse;
  readonly isHead: boolean;
  /** Sends the whole response. */
  reply(answer: Pick<Reply, "status" | "headers" | "body">): void;
  /** Frees the response's place among the connections. */
  done(): void;
}

/** The code of an endpoint; V is its parameters. */
export interface Handler<V> {
  /** Refuses a handshake; status 0 ends the connection without a response. */
  refuse?(request: HandshakeRequest, asked: V): Refusal | undefined;
  accept?(request: HandshakeRequest, asked: V): Choice;
  /** Whether `open` needs the handshake as JSON. */
  wantsHandshake?(asked: V): boolean;
  /** @param handshake the handshake as JSON, if `wantsHandshake` */
  open?(session: Session, asked: V, handshake: string): Reactions;
  /** Whether messages are echoed, now or later; if not, they count as received only. */
  readonly isEcho?: boolean;
  /** Answers a GET later, or in parts. */
  respond?(request: HeldRequest, asked: V): void;
  /** Answers a GET that is not a handshake; by default, the response says how to connect. */
  answer?(request: Omit<HandshakeRequest, "asked">, asked: V): Pick<Reply, "status" | "headers" | "body">;
}

/** An endpoint by its name in the table. */
export interface OnDemand {
  readonly name: BehaviourName;
  readonly handler: Handler<unknown>;
}

/** Ties a handler to its row of the table, which defines its parameters. */
export function onDemand<N extends BehaviourName>(name: N, handler: Handler<Asked<N>>): OnDemand {
  return { name, handler: handler as unknown as Handler<unknown> };
}

/** Reactions of an endpoint that echoes. */
export function echoing(session: Session): Reactions {
  return { message: (message, isBinary) => session.echo(message, isBinary) };
}
