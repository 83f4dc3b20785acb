/**
 * @typedef {object} Instructions
 * @property {number} all
 * @property {number} within executed by one library, and by what it called
 */

/**
 * Reads a file that callgrind wrote: what was executed on the whole, and below calls into one library.
 * The format is documented in valgrind's manual ("Callgrind Format Specification"): names are given once,
 * as `(id) name`, and by id later; a line `calls=` stands before the line with that call's inclusive cost.
 *
 * @param {string} text
 * @param {string} library a part of its path
 * @returns {Instructions}
 */
export function readCallgrind(text, library) {
  /** @type {Map<string, string>} */
  const objects = new Map();
  const objectOf = (/** @type {string} */ reference) => {
    const [, id = '', name] = /^\((\d+)\)(?: (.*))?$/.exec(reference) ?? [];
    if (name !== undefined) objects.set(id, name);
    return objects.get(id) ?? '';
  };
  let all = 0;
  let within = 0;
  let caller = '';
  let callee = '';
  let isCall = false;
  for (const line of text.split('\n')) {
    const [, key, value = ''] = /^(summary: |ob=|cob=|calls=|fn=)(.*)$/.exec(line) ?? [];
    if (key === 'summary: ') all = Number(value);
    else if (key === 'ob=') caller = callee = objectOf(value);
    else if (key === 'cob=') callee = objectOf(value);
    else if (key === 'calls=') isCall = true;
    else if (isCall) {
      const cost = Number(line.split(' ').at(-1));
      if (callee.includes(library) && !caller.includes(library)) within += cost;
      // Each call names its callee's library anew, unless it is the caller's.
      callee = caller;
      isCall = false;
    }
  }
  if (!(all > 0)) throw new Error('Callgrind counted nothing.');
  return { all, within };
}
