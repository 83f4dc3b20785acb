import Benchmark from 'benchmark';

/** Enough calls in one of benchmark.js's cycles to hide what a cycle itself costs. */
const cycleMs = 0.3;

/**
 * Times ways of calling a model, with benchmark.js.
 *
 * @param {Record<string, () => unknown>} calls each returns a promise, or the answer at once
 * @param {number} seconds of each
 * @returns {Promise<Record<string, number>>} median microseconds per call, by name
 */
export async function timeCalls(calls, seconds) {
  const suite = new Benchmark.Suite();
  /** @type {Record<string, number>} */
  const callsPerCycle = {};
  for (const [name, call] of Object.entries(calls)) {
    const isAsync = call() instanceof Promise;
    const times = await callsIn(cycleMs, call);
    callsPerCycle[name] = times;
    suite.add(name, {
      defer: isAsync,
      maxTime: seconds,
      minSamples: 5,
      fn: isAsync ? asyncCycle(call, times) : syncCycle(call, times),
    });
  }
  await new Promise((resolve, reject) => {
    suite.on('complete', resolve);
    suite.on('error', (/** @type {Benchmark.Event} */ event) =>
      reject(/** @type {{ error?: Error }} */ (event.target).error),
    );
    suite.run({ async: true });
  });
  /** @type {Record<string, number>} */
  const microseconds = {};
  suite.forEach((/** @type {Benchmark} */ { name, stats }) => {
    if (!name) return;
    microseconds[name] = (medianOf(stats.sample) / (callsPerCycle[name] ?? 1)) * 1e6;
  });
  return microseconds;
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
