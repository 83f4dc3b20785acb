/**
 * What this thread's performance.now() is behind the clock that all threads of a process have in common.
 *
 * @returns {number} milliseconds
 */
export function clockOffsetMs() {
  return Number(process.hrtime.bigint()) / 1e6 - performance.now();
}
