import Benchmark from 'benchmark';

/** Enough calls in one of benchmark.js's cycles to hide what a cycle itself costs. */
const cycleMs = 0.3;

/**
 * Times a way of calling a model, with benchmark.js.
 *
 * @param {() => unknown} call returns a promise, or the answer at once
 * @param {number} seconds
 * @returns {Promise<number>} median microseconds per call
 */
export async function timeCall(call, seconds) {
  const isAsync = call() instanceof Promise;
  const times = await callsIn(cycleMs, call);
  const benchmark = new Benchmark({
    defer: isAsync,
    async: true,
    maxTime: seconds,
    minTime: Math.min(0.05, seconds / 8),
    minSamples: 5,
    fn: isAsync ? asyncCycle(call, times) : syncCycle(call, times),
  });
  await new Promise((resolve, reject) => {
    benchmark.on('complete', resolve);
    benchmark.on('error', () => reject(benchmark.error));
    benchmark.run();
  });
  return (medianOf(benchmark.stats.sample) / times) * 1e6;
}

/**
 * @param {number} ms
 * @param {() => unknown} call
 */
async function callsIn(ms, call) {
  const start = performance.now();
  let calls = 0;
  while (performance.now() - start < ms * 10) {
    await call();
    calls++;
  }
  return Math.max(1, Math.round(calls / 10));
}

/** @type {(call: () => unknown, times: number) => () => void} */
function syncCycle(call, times) {
  return () => {
    for (let i = 0; i < times; i++) call();
  };
}

/** @type {(call: () => unknown, times: number) => (deferred: Benchmark.Deferred) => Promise<void>} */
function asyncCycle(call, times) {
  return async (deferred) => {
    for (let i = 0; i < times; i++) await call();
    deferred.resolve();
  };
}

/** @param {number[]} sample */
function medianOf(sample) {
  const sorted = [...sample].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
