// Tells the generator's thread when an arrival is due. Timers of Node wake on whole milliseconds; a thread
// that sleeps in Atomics.wait wakes within some ten microseconds, and costs no CPU time until then.
import { parentPort, workerData } from 'node:worker_threads';
import { clockOffsetMs } from './clock.mjs';

/** @type {{ arrivals: Float64Array }} milliseconds from the first */
const { arrivals } = workerData;
const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
/** 1 from a message to its receipt: meanwhile the generator needs no other. */
const pending = new Int32Array(new SharedArrayBuffer(4));
const sleeper = new Int32Array(new SharedArrayBuffer(4));
/** Lets both threads come to rest first. */
const leadMs = 50;

const offset = clockOffsetMs();
const now = () => offset + performance.now();
const origin = now() + leadMs;
port.postMessage({ origin, pending });
for (let next = 0; next < arrivals.length; ) {
  const wait = origin + (arrivals[next] ?? 0) - now();
  if (wait > 0) Atomics.wait(sleeper, 0, 0, wait);
  const elapsed = now() - origin;
  if ((arrivals[next] ?? 0) > elapsed) continue;
  while (next < arrivals.length && (arrivals[next] ?? 0) <= elapsed) next++;
  if (Atomics.exchange(pending, 0, 1) === 0) port.postMessage({ pending });
}
