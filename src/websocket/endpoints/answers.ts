// Answers plain HTTP requests to endpoints on demand.
import type { HttpRequest, HttpResponse } from "uWebSockets.js";
import { readHeaders } from "../../http/headers.ts";
import type { Reply, SendReply } from "../../http/reply.ts";
import type { BehaviourName } from "../../lib/behaviours.ts";
import type { Upgrade } from "../upgrade.ts";
import { badParameters, type Reading } from "./asked.ts";
import type { Capacity } from "./capacity.ts";
import type { OnDemand } from "./endpoint.ts";

type Answer = Pick<Reply, "status" | "headers" | "body">;

export interface AnswerParts {
  readonly handlers: ReadonlyMap<BehaviourName, OnDemand["handler"]>;
  readonly capacity: Capacity;
  readonly read: (name: BehaviourName, path: string, query: string) => Reading;
  readonly upgrade: Upgrade;
  readonly reply: SendReply;
}

export class HttpAnswers {
  readonly #parts: AnswerParts;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  answer(name: BehaviourName, res: HttpResponse, req: HttpRequest): void {
    const { handlers, capacity, read, upgrade } = this.#parts;
    const { answer, respond } = handlers.get(name) ?? {};
    if (answer === undefined && respond === undefined) {
      upgrade.explain(res, req, "on_demand");
      return;
    }
    const path = req.getUrl();
    const isHead = req.getMethod() === "head";
    const { asked, problems } = read(name, path, req.getQuery() ?? "");
    const reply = (answered: Answer): void => this.#reply(res, answered, isHead);
    if (problems !== undefined) {
      reply(badParameters(path, problems));
    } else if (answer !== undefined) {
      reply(answer({ headers: readHeaders(req), path }, asked));
    } else if (respond !== undefined) {
      const full = capacity.refusal();
      if (full !== undefined) {
        reply(full);
        return;
      }
      respond({ res, isHead, reply, done: capacity.take(name) }, asked);
    }
  }

  #reply(res: HttpResponse, { status, headers, body }: Answer, isHead: boolean): void {
    if (status === 0) {
      res.close();
    } else {
      this.#parts.reply(res, "on_demand", { status, ...(headers && { headers }), body, isHead });
    }
  }
}
