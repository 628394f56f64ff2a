// A promise that is settled from outside, like Promise.withResolvers(), which Node 20 lacks.

export class Deferred<T = void> {
  readonly promise: Promise<T>;
  resolve: (value: T) => void = () => undefined;
  reject: (reason: Error) => void = () => undefined;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // An awaiting caller still gets the rejection; without one, it must not end the process.
    this.promise.catch(() => undefined);
  }
}
