// Mounts the endpoints on demand on a uWS app: parses parameters, refuses or accepts, and passes events to the handlers.
import type {
  CompressOptions,
  HttpRequest,
  HttpResponse,
  TemplatedApp,
  us_socket_context_t,
  WebSocketBehavior,
} from "uWebSockets.js";
import type { Config } from "../../config/options.ts";
import type { Endpoint } from "../../http/endpoint.ts";
import type { EventStreams } from "../../http/event-streams.ts";
import type { HeldAnswers } from "../../http/held-answers.ts";
import type { DescribeRequest } from "../../http/inspect.ts";
import type { SendReply } from "../../http/reply.ts";
import type { RequestCheck } from "../../http/request-checks.ts";
import { type Behaviour, type BehaviourName, behaviours } from "../../lib/behaviours.ts";
import { asksForMore } from "../../lib/echo-modifiers.ts";
import type { Caps } from "../../lib/parameter.ts";
import { displayPath } from "../../lib/path-pattern.ts";
import { countMessage, type Stats } from "../../metrics/counters.ts";
import type { Backpressure } from "../backpressure.ts";
import { type Connection, connectionOf, type EchoSocket, type SocketData } from "../connection.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { limitMessages, type MessageLimits } from "../message-limits.ts";
import { refuse } from "../refusals.ts";
import { socketOptions } from "../socket-options.ts";
import type { Admitted, Upgrade } from "../upgrade.ts";
import { createOnDemandEndpoints } from "./all.ts";
import { HttpAnswers } from "./answers.ts";
import { badParameters, type Reading, readAsked } from "./asked.ts";
import { Capacity } from "./capacity.ts";
import { type Choice, echoing, type OnDemand } from "./endpoint.ts";
import { describeHandshake, isForeign } from "./handshake-json.ts";
import { type Reactions, Session, type SessionParts } from "./session.ts";

export interface OnDemandParts {
  readonly config: MessageLimits &
    Pick<
      Config,
      | "endpoints"
      | "inspect"
      | "endpointsConnections"
      | "endpointsMaxDelay"
      | "echoPaths"
      | "instance"
      | "inspectHide"
      | "allowOrigin"
      | "maxBackpressure"
      | "idleTimeout"
      | "compressionMinSize"
    >;
  readonly stats: Stats;
  readonly backpressure: Backpressure;
  readonly upgrade: Upgrade;
  readonly lifecycle: Lifecycle;
  readonly reply: SendReply;
  readonly compression: CompressOptions;
  readonly describe: DescribeRequest;
  readonly streams: EventStreams;
  readonly held: HeldAnswers;
  /** The check of GET /inspect. */
  readonly checkInspect: RequestCheck;
  /** Milliseconds of a clock that never goes back, with fractions. */
  readonly now: () => number;
}

/** The connection of an endpoint on demand. */
interface OnDemandConnection extends Connection {
  readonly session: Session;
  readonly isEcho: boolean;
  /** Returns its place of --endpoints-connections, if it has one. */
  readonly leave: () => void;
  readonly start: () => Reactions;
}

const plainEcho: OnDemand["handler"] = { isEcho: true, open: echoing };

export class OnDemandMount {
  readonly #parts: OnDemandParts;
  readonly #session: SessionParts;
  readonly #caps: Caps;
  readonly #endpoints: readonly OnDemand[];
  readonly #handlers: ReadonlyMap<BehaviourName, OnDemand["handler"]>;
  readonly #capacity: Capacity;
  readonly #answers: HttpAnswers;

  constructor(parts: OnDemandParts) {
    const { config, stats, backpressure, now } = parts;
    const { budget } = backpressure;
    this.#parts = parts;
    this.#caps = { delay: config.endpointsMaxDelay, payload: config.maxPayload };
    this.#session = {
      stats,
      backpressure,
      budget,
      now,
      maxBackpressure: config.maxBackpressure,
      maxPayload: config.maxPayload,
      compressFrom: config.compression === "off" ? Number.POSITIVE_INFINITY : config.compressionMinSize,
      instance: config.instance,
      holders: new Set(),
    };
    this.#endpoints = createOnDemandEndpoints(parts.streams, parts.held).filter(({ name }) =>
      this.#isOn(name),
    );
    this.#handlers = new Map(this.#endpoints.map(({ name, handler }) => [name, handler]));
    this.#capacity = new Capacity(config.endpointsConnections, stats);
    this.#answers = new HttpAnswers({
      handlers: this.#handlers,
      capacity: this.#capacity,
      read: (name, path, query) => this.#read(name, path, query),
      upgrade: parts.upgrade,
      reply: parts.reply,
    });
    const { holders } = this.#session;
    budget.join({
      largest: () => mostHeld(holders)?.heldBytes ?? 0,
      dropLargest: () => mostHeld(holders)?.terminate("buffer_cap"),
    });
  }

  /** The endpoints for the 404 page and for GET, without `/echo` and `/inspect`, which are separate endpoints. */
  get endpoints(): Endpoint[] {
    return this.#endpoints
      .filter(({ name }) => name !== "echo" && name !== "inspect")
      .map(({ name }) => {
        const { path, summary } = behaviours[name];
        return {
          path: displayPath(path),
          pattern: path,
          methods: ["GET", "HEAD"],
          summary,
          mount: (app) => {
            const handler = (res: HttpResponse, req: HttpRequest): void =>
              this.#answers.answer(name, res, req);
            app.get(path, handler).head(path, handler);
          },
        };
      });
  }

  /** Mounts the WebSocket routes. Plain `/echo` has a separate route, which yields for a query with parameters. */
  mount(app: TemplatedApp): void {
    for (const { name } of this.#endpoints) {
      const { path, via }: Behaviour = behaviours[name];
      if (name !== "echo" && via.includes("websocket")) {
        app.ws<SocketData>(
          path,
          this.#behavior((res, req, context) => this.#upgrade(name, path, res, req, context)),
        );
      }
    }
    const { echoPaths } = this.#parts.config;
    app.ws<SocketData>(
      "/*",
      this.#behavior((res, req, context) => {
        const path = req.getUrl();
        if (echoPaths !== "any" && !(this.#handlers.has("echo") && echoPaths.includes(path))) {
          req.setYield(true); // not one of our paths: continue to 404
          return;
        }
        this.#upgrade("echo", path, res, req, context);
      }),
    );
  }

  #isOn(name: BehaviourName): boolean {
    const { isUnsafe }: Behaviour = behaviours[name];
    const { endpoints, inspect } = this.#parts.config;
    if (name === "inspect" && !inspect) {
      return false;
    }
    return endpoints === "all" || (endpoints === "safe" && isUnsafe !== true);
  }

  #read(name: BehaviourName, path: string, query: string): Reading {
    const canInspect = this.#parts.config.inspect;
    return readAsked(name, path, query, { caps: this.#caps, isOn: this.#handlers.has(name), canInspect });
  }

  #upgrade(
    name: BehaviourName,
    path: string,
    res: HttpResponse,
    req: HttpRequest,
    context: us_socket_context_t,
  ): void {
    const { upgrade } = this.#parts;
    const handler = this.#handlers.get(name) ?? plainEcho;
    const url = req.getUrl();
    const reading = this.#read(name, url, req.getQuery() ?? "");
    // With --echo-paths *, a plain echo also arrives here.
    const isCounted = name !== "echo" || asksForMore(req.getQuery());
    const wantsHandshake = reading.problems === undefined && handler.wantsHandshake?.(reading.asked) === true;
    // After DNS rebinding the origin of a foreign page is the server's own name, so the name is checked.
    const misdirected = wantsHandshake ? this.#parts.checkInspect("/inspect", res, req) : undefined;
    const admitted = upgrade.admit(res, req, "on_demand", (headers, asked) => {
      if (reading.problems !== undefined) {
        return badParameters(url, reading.problems);
      }
      if (wantsHandshake && isForeign(headers, this.#parts.config.allowOrigin)) {
        return refuse(
          "origin",
          "Only pages of this origin, or of those in --allow-origin, may read the handshake.\n",
        );
      }
      if (misdirected !== undefined) {
        return { ...misdirected, reason: "origin", body: `${misdirected.body}` };
      }
      return (
        handler.refuse?.({ headers, asked, path }, reading.asked) ??
        (isCounted ? this.#capacity.refusal() : undefined)
      );
    });
    if (admitted === undefined) {
      return;
    }
    const choice = handler.accept?.({ ...admitted, path }, reading.asked) ?? {};
    const handshake = wantsHandshake ? this.#describe(res, req, admitted, choice) : "";
    const leave = isCounted ? this.#capacity.take(name) : () => undefined;
    const session = new Session(this.#session, name);
    const properties: Omit<OnDemandConnection, keyof Connection> & Pick<Connection, "sendHeld"> = {
      session,
      sendHeld: () => session.sendHeld(),
      isEcho: handler.isEcho === true,
      leave,
      start: () => handler.open?.(session, reading.asked, handshake) ?? {},
    };
    const headers = { "Uws-Echo-Understood": reading.understood, ...choice.headers };
    const acceptance = { ...choice, properties, headers: isCounted ? headers : {} };
    if (choice.delayMs === undefined) {
      upgrade.accept(res, admitted, context, acceptance);
    } else {
      const { delayMs } = choice;
      upgrade.acceptLater(res, admitted, context, { ...acceptance, delayMs }, leave);
    }
  }

  #describe(res: HttpResponse, req: HttpRequest, admitted: Admitted, choice: Choice): string {
    const { upgrade, describe, config } = this.#parts;
    return describeHandshake(describe(res, req), upgrade.negotiate(admitted, choice), config.inspectHide);
  }

  #behavior(upgrade: NonNullable<WebSocketBehavior<SocketData>["upgrade"]>): WebSocketBehavior<SocketData> {
    const { config, compression, backpressure, lifecycle, stats, now } = this.#parts;
    const onDemandOf = (ws: EchoSocket): OnDemandConnection => connectionOf(ws) as OnDemandConnection;
    const message = (ws: EchoSocket, data: ArrayBuffer, isBinary: boolean): void => {
      const { session, isEcho } = onDemandOf(ws);
      if (!session.isOpen) {
        return;
      }
      countMessage(stats, data.byteLength, isBinary);
      if (!isEcho) {
        session.ignore(data, isBinary);
      }
      session.reactions.message?.(data, isBinary);
    };
    return {
      ...socketOptions(config, compression),
      upgrade,
      open(ws) {
        lifecycle.open(ws);
        const { session, start } = onDemandOf(ws);
        session.opened(ws, start);
      },
      message: limitMessages(config, backpressure, now, message),
      ping: (ws, payload) => backpressure.ponged(ws, payload.byteLength),
      pong: (ws, payload) => onDemandOf(ws).session.ponged(payload),
      drain(ws) {
        backpressure.drained(ws);
        if (lifecycle.isOpen(ws)) {
          onDemandOf(ws).session.reactions.drain?.();
        }
      },
      close: (ws, code) => {
        const { session, leave } = onDemandOf(ws);
        lifecycle.close(ws, code);
        session.closed();
        leave();
      },
    };
  }
}

function mostHeld(holders: ReadonlySet<Session>): Session | undefined {
  let most: Session | undefined;
  for (const session of holders) {
    if (session.heldBytes > (most?.heldBytes ?? 0)) {
      most = session;
    }
  }
  return most;
}
