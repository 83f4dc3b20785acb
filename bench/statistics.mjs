/**
 * @typedef {object} Spread what several rounds gave
 * @property {number} median
 * @property {number} min
 * @property {number} max
 */

/**
 * @param {readonly number[]} values at least one
 * @returns {Spread}
 */
export function spreadOf(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = /** @type {number} */ (sorted[middle]);
  const lower = /** @type {number} */ (sorted[sorted.length % 2 === 1 ? middle : middle - 1]);
  return {
    median: (lower + upper) / 2,
    min: /** @type {number} */ (sorted[0]),
    max: /** @type {number} */ (sorted[sorted.length - 1]),
  };
}

/**
 * By the nearest rank.
 *
 * @param {Float64Array} sorted
 * @param {number} share
 */
export function quantile(sorted, share) {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/**
 * Ratios are taken round by round, between runs that are neighbours in time, so that a machine that
 * slows down for a while slows both sides of a ratio.
 *
 * @param {readonly number[]} numerators one a round
 * @param {readonly number[]} denominators
 */
export function ratiosOf(numerators, denominators) {
  return spreadOf(numerators.map((value, round) => value / inRound(denominators, round)));
}

/**
 * @param {readonly number[]} values one a round
 * @param {readonly number[]} others
 */
export function differencesOf(values, others) {
  return spreadOf(values.map((value, round) => value - inRound(others, round)));
}

/**
 * @param {readonly number[]} values
 * @param {number} round
 */
function inRound(values, round) {
  const value = values[round];
  if (value === undefined) throw new Error(`Round ${round + 1} has no figure to compare with.`);
  return value;
}
