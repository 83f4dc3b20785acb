/**
 * Uniform numbers in [0, 1), the same for the same seed: Marsaglia's 32-bit xorshift.
 *
 * @param {number} seed not 0
 * @returns {() => number}
 */
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}
