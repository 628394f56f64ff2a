/** The part of jStat that is used; the package has no typings of its own. */
declare module "jstat" {
  interface Distribution {
    /** Probability of a value up to `x`. */
    cdf(x: number, degreesOfFreedom: number): number;
    /** The value that a share `p` lies below. */
    inv(p: number, degreesOfFreedom: number): number;
  }
  const jstat: { readonly studentt: Distribution };

  export = jstat;
}
