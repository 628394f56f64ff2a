// The one shape of an endpoint on demand: what it refuses, how it accepts, and what it does on open, message, drain and close.
import type { HttpResponse } from "uWebSockets.js";
import type { RequestHeaders } from "../../http/headers.ts";
import type { Reply } from "../../http/reply.ts";
import type { BehaviourName } from "../../lib/behaviours.ts";
import type { Asked as AskedInHandshake, Refusal } from "../handshake.ts";
import type { Acceptance } from "../upgrade.ts";
import type { Asked, Reactions, Session } from "./session.ts";

/** A handshake that is right and that its endpoint may still refuse. */
export interface HandshakeRequest {
  readonly headers: RequestHeaders;
  readonly asked: AskedInHandshake;
  readonly path: string;
}

/** How an endpoint accepts a handshake. */
export interface Choice extends Acceptance {
  /** Milliseconds to wait before the answer. */
  readonly delayMs?: number;
}

/** An HTTP request whose answer stays open. */
export interface HeldRequest {
  readonly res: HttpResponse;
  readonly isHead: boolean;
  /** Answers as a whole. */
  reply(answer: Pick<Reply, "status" | "headers" | "body">): void;
  /** Gives the place of the answer back. */
  done(): void;
}

/** A behaviour, with what was asked of it as V. */
export interface Handler<V> {
  /** Refuses a handshake; a refusal with status 0 ends the connection without an answer. */
  refuse?(request: HandshakeRequest, asked: V): Refusal | undefined;
  accept?(request: HandshakeRequest, asked: V): Choice;
  /** Whether `open` needs the handshake as JSON. */
  wantsHandshake?(asked: V): boolean;
  /** @param handshake the handshake as JSON, if it was wanted */
  open?(session: Session, asked: V, handshake: string): Reactions;
  /** Whether messages come back, now or later; otherwise they count as taken. */
  readonly isEcho?: boolean;
  /** Answers a GET later, or bit by bit. */
  respond?(request: HeldRequest, asked: V): void;
  /** Answers a GET that is no handshake; without it, a GET is told how to connect. */
  answer?(request: Omit<HandshakeRequest, "asked">, asked: V): Pick<Reply, "status" | "headers" | "body">;
}

/** An endpoint by its name in the table. */
export interface OnDemand {
  readonly name: BehaviourName;
  readonly handler: Handler<unknown>;
}

/** Ties a behaviour to its row of the table, which says what may be asked of it. */
export function onDemand<N extends BehaviourName>(name: N, handler: Handler<Asked<N>>): OnDemand {
  return { name, handler: handler as unknown as Handler<unknown> };
}

/** Reactions of an endpoint that echoes. */
export function echoing(session: Session): Reactions {
  return { message: (message, isBinary) => session.echo(message, isBinary) };
}
