/** A count may differ from the recorded one by this share. */
export const tolerance = 0.05;

/**
 * @typedef {object} Comparison
 * @property {string} script
 * @property {'engine' | 'onnxRuntime'} part
 * @property {number} recorded instructions per request; NaN where the script is new
 * @property {number} found
 * @property {'same' | 'grown' | 'shrunk' | 'new'} verdict
 */

/**
 * @param {readonly import('./instructions.mjs').InstructionCount[]} found
 * @param {readonly import('./instructions.mjs').InstructionCount[]} recorded
 * @returns {Comparison[]}
 */
export function compare(found, recorded) {
  return found.flatMap((count) => {
    const before = recorded.find(({ script }) => script === count.script);
    return /** @type {const} */ (['engine', 'onnxRuntime']).map((part) => ({
      script: count.script,
      part,
      recorded: before?.[part] ?? Number.NaN,
      found: count[part],
      verdict: verdictOn(count[part], before?.[part]),
    }));
  });
}

/**
 * @param {number} found
 * @param {number | undefined} recorded
 * @returns {Comparison['verdict']}
 */
function verdictOn(found, recorded) {
  if (recorded === undefined) return 'new';
  if (found > recorded * (1 + tolerance)) return 'grown';
  return found < recorded * (1 - tolerance) ? 'shrunk' : 'same';
}
