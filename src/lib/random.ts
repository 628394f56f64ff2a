// Random numbers and bytes that repeat: the same for the same seed.

import { createCipheriv, createHash, randomInt } from "node:crypto";

/** Seeds are whole numbers from 0 to this. */
export const highestSeed = 2 ** 32 - 1;

/** A seed, where none was given. */
export function randomSeed(): number {
  return randomInt(highestSeed + 1);
}

/** Uniform in [0, 1) (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One seed out of several numbers, for streams that have to be independent of each other. */
export function mixSeeds(...seeds: readonly number[]): number {
  return createHash("sha256").update(seeds.join("/")).digest().readUInt32LE();
}

/** Bytes that do not compress: the key stream of AES in counter mode. */
export function seededBytes(length: number, seed: number): Buffer {
  const key = createHash("sha256").update(String(seed)).digest().subarray(0, 16);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(length));
}
