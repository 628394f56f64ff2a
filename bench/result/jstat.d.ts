/** The part of jStat that is used; the package has no typings of its own. */
declare module "jstat" {
  interface Distribution<Parameters extends number[]> {
    /** Probability of a value up to `x`. */
    cdf(x: number, ...parameters: Parameters): number;
    /** The value that a share `p` lies below. */
    inv(p: number, ...parameters: Parameters): number;
  }
  const jstat: {
    readonly studentt: Distribution<[degreesOfFreedom: number]>;
    readonly normal: Distribution<[mean: number, deviation: number]>;
  };

  export = jstat;
}
