// The part of autocannon that engine/http.ts uses; the package ships no types.

declare module "autocannon" {
  import type { EventEmitter } from "node:events";

  namespace autocannon {
    /** One connection, which sends its next request as soon as a response is complete. */
    interface Client extends EventEmitter {
      on(event: "request" | "timeout", listener: () => void): this;
      on(event: "response", listener: (status: number, bytes: number, durationMs: number) => void): this;
      on(event: "connError", listener: (error: Error) => void): this;
      destroy(): void;
    }

    interface Options {
      readonly url: string;
      readonly method: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly connections: number;
      readonly pipelining: number;
      /** Requests per second on each connection. */
      readonly connectionRate?: number;
      /** Seconds. */
      readonly duration: number;
      /** Seconds. */
      readonly timeout: number;
      /** How often it looks whether to stop, in milliseconds. */
      readonly sampleInt: number;
      readonly setupClient: (client: Client) => void;
      readonly verifyBody?: (body: string) => boolean;
    }

    interface Tracker extends EventEmitter {
      stop(): void;
    }
  }

  function autocannon(options: autocannon.Options, done: (error: Error | null) => void): autocannon.Tracker;
  export = autocannon;
}
