/** Largest difference that two right answers may have: float32 sums taken in different orders. */
export const tolerance = 1e-5;

/**
 * @param {ArrayLike<number | bigint | string>} values
 * @param {ArrayLike<number | bigint | string>} expected no longer than `values`
 * @param {string} who for the message
 * @throws Error where numbers differ by more than the tolerance, or anything else at all
 */
export function expectSame(values, expected, who) {
  for (let i = 0; i < expected.length; i++) {
    if (values[i] === expected[i]) continue;
    const difference = Math.abs(Number(values[i]) - Number(expected[i]));
    if (!(difference <= tolerance)) {
      throw new Error(
        `${who} gave ${values[i]} at ${i} where ${expected[i]} was expected: it can't be compared.`,
      );
    }
  }
}
