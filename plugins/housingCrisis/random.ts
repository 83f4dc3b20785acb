/** A seeded source of randomness: the xorshift generator of 32 bits (Marsaglia 2003). */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds would begin alike; this spreads them, and zero is no state.
    this.#state = Math.imul(seed, 0x9e3779b1) | 0 || 0x9e3779b1;
  }

  /** @returns a whole number from 0 to `limit` - 1 */
  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return Math.floor(((state >>> 0) / 2 ** 32) * limit);
  }

  /** @returns the numbers from 0 to `count` - 1 in random order (Fisher and Yates) */
  permutation(count: number): number[] {
    const order = Array.from({ length: count }, (_, index) => index);
    for (let last = count - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [order[last], order[other]] = [order[other]!, order[last]!];
    }
    return order;
  }
}
