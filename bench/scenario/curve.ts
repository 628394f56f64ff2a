// A figure that changes over time, in straight pieces: a rate, or a number of connections.

/** One straight piece. A duration of 0 is a jump to `to`. */
export interface Piece {
  readonly durationMs: number;
  readonly from: number;
  readonly to: number;
}

/** Pieces, one after the other from the start of the timeline on. Afterwards the last value holds; without pieces it is 0. */
export type Curve = readonly Piece[];

/** The same value at all times. */
export function constant(value: number): Curve {
  return [{ durationMs: 0, from: value, to: value }];
}

export function valueAt(curve: Curve, atMs: number): number {
  let startMs = 0;
  for (const { durationMs, from, to } of curve) {
    if (atMs < startMs + durationMs) {
      return from + (to - from) * Math.max(0, (atMs - startMs) / durationMs);
    }
    startMs += durationMs;
  }
  return curve.at(-1)?.to ?? 0;
}

export function largestOf(curve: Curve): number {
  return curve.reduce((most, { from, to }) => Math.max(most, from, to), 0);
}

/** How long the curve takes to come to its last value. */
export function lengthMs(curve: Curve): number {
  return curve.reduce((sum, { durationMs }) => sum + durationMs, 0);
}
