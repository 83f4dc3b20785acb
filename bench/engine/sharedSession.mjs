// Runs a model in K worker threads of this process at once, each with the session that the runtime gives
// it: `node sharedSession.mjs <runtime> <SharingCase as JSON>`. Prints SharingFigures as JSON.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { readTensorFile } from '../models/tensorFile.mjs';
import { openRuntime } from './runtimes.mjs';

/**
 * @typedef {object} SharingCase
 * @property {string} model the .onnx file
 * @property {string} input a tensor file
 * @property {readonly number[]} dims
 * @property {number} workers
 * @property {number} seconds
 *
 * @typedef {object} SharingFigures
 * @property {number} runs of all workers
 * @property {number} seconds
 * @property {number} residentBefore bytes of this process, its workers up and the model not opened
 * @property {number} resident at the end, its workers still up
 */

const warmUpRuns = 3;

if (isMainThread) {
  const [name = '', caseJson = ''] = process.argv.slice(2);
  console.log(JSON.stringify(await runWorkers(name, JSON.parse(caseJson))));
  process.exit(0);
} else {
  await beWorker(workerData);
}

/**
 * @param {string} name
 * @param {SharingCase} sharingCase
 * @returns {Promise<SharingFigures>}
 */
async function runWorkers(name, sharingCase) {
  const workers = Array.from(
    { length: sharingCase.workers },
    () => new Worker(new URL(import.meta.url), { workerData: { name, sharingCase } }),
  );
  /** Sends every worker on, and waits for what each has to tell. @param {string} [order] */
  const step = (order) =>
    Promise.all(
      workers.map(
        (worker) =>
          new Promise((resolve, reject) => {
            worker.once('message', resolve);
            worker.once('error', reject);
            if (order) worker.postMessage(order);
          }),
      ),
    );
  await step();
  const residentBefore = process.memoryUsage.rss();
  await step('open');
  const ran = await step('run');
  return {
    runs: ran.reduce((sum, { runs }) => sum + runs, 0),
    seconds: Math.max(...ran.map(({ seconds }) => seconds)),
    residentBefore,
    resident: process.memoryUsage.rss(),
  };
}

/** @param {{ name: string, sharingCase: SharingCase }} data */
async function beWorker({ name, sharingCase }) {
  const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
  const order = () => new Promise((resolve) => port.once('message', resolve));
  const { model, input, dims, seconds } = sharingCase;
  const runtime = await openRuntime(name);
  const feeds = { input: runtime.tensor('float32', readTensorFile('float32', input), dims) };
  let next = order();
  port.postMessage({});
  await next;
  const session = await runtime.open(model);
  for (let i = 0; i < warmUpRuns; i++) await session.run(feeds);
  next = order();
  port.postMessage({});
  await next;
  const start = performance.now();
  let runs = 0;
  let elapsed = 0;
  while (elapsed < seconds * 1000) {
    const output = session.run(feeds);
    // An await costs a turn of the thread: only who needs it pays.
    if (output instanceof Promise) await output;
    runs++;
    elapsed = performance.now() - start;
  }
  port.postMessage({ runs, seconds: elapsed / 1000 });
}
