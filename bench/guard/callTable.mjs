/**
 * What callCounter.cc counted in one thread.
 *
 * @typedef {object} ThreadCalls
 * @property {number} id of the thread; the main thread's is the process's
 * @property {CallCount[]} calls
 *
 * @typedef {object} CallCount
 * @property {string} function
 * @property {string} caller the library that called, '' for the program itself
 * @property {number} calls
 * @property {number} amount sum of the third arguments
 */

// The layout of Table in callCounter.cc.
const maxCalls = 512;
const maxThreads = 64;
const nameSize = 64;
const threadSize = 8 + maxCalls * 16;
const callsOffset = 8;
const threadsOffset = callsOffset + maxCalls * nameSize * 2;

/**
 * @param {Buffer} table
 * @returns {ThreadCalls[]}
 */
export function readCallTable(table) {
  const text = (/** @type {number} */ at) => table.toString('latin1', at, table.indexOf(0, at));
  const calls = Array.from({ length: table.readUInt32LE(0) }, (_, index) => {
    const at = callsOffset + index * nameSize * 2;
    return { function: text(at), caller: text(at + nameSize) };
  });
  const threads = Math.min(maxThreads, table.readUInt32LE(4));
  return Array.from({ length: threads }, (_, thread) => {
    const at = threadsOffset + thread * threadSize;
    const number = (/** @type {number} */ offset) => Number(table.readBigUInt64LE(at + offset));
    return {
      id: number(0),
      calls: calls.map((call, index) => ({
        ...call,
        calls: number(8 + index * 8),
        amount: number(8 + maxCalls * 8 + index * 8),
      })),
    };
  });
}

/**
 * What happened between two readings.
 *
 * @param {ThreadCalls[]} before
 * @param {ThreadCalls[]} after
 * @returns {ThreadCalls[]}
 */
export function difference(before, after) {
  return after.map(({ id, calls }, thread) => ({
    id,
    calls: calls.map((call, index) => {
      const earlier = before[thread]?.calls[index];
      return {
        ...call,
        calls: call.calls - (earlier?.calls ?? 0),
        amount: call.amount - (earlier?.amount ?? 0),
      };
    }),
  }));
}
