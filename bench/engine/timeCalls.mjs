// Times `session.run` of one runtime: `node timeCalls.mjs <runtime> <EngineCase[] as JSON>`, on one
// thread. Prints CallTimes[] as JSON.
import { expectSame } from '../answers.mjs';
import { emptyData, readTensorFile } from '../models/tensorFile.mjs';
import { timeCall } from './callSuite.mjs';
import { openRuntime } from './runtimes.mjs';

const [name, casesJson = ''] = process.argv.slice(2);
const runtime = await openRuntime(name);
const results = [];
for (const engineCase of JSON.parse(casesJson)) results.push(await timeCase(engineCase));
console.log(JSON.stringify(results));

/**
 * @param {import('./callBench.mjs').EngineCase} engineCase
 * @returns {Promise<import('./callBench.mjs').CallTimes>}
 */
async function timeCase({ model, type, dims, input, expected, outputDims, seconds }) {
  /** @type {import('./callBench.mjs').CallTimes} */
  const times = { refusals: {} };
  const right = readTensorFile(type, expected);
  const elements = outputDims.reduce((product, size) => product * size, 1);
  const ways = /** @type {const} */ (['allocated', 'owned']);
  for (const way of ways) {
    try {
      const session = await runtime.open(model);
      const feeds = { input: runtime.tensor(type, readTensorFile(type, input), dims) };
      const owned = { output: runtime.tensor(type, emptyData(type, elements), outputDims) };
      const call = way === 'owned' ? () => session.run(feeds, owned) : () => session.run(feeds);
      const answer = await call();
      expectSame((way === 'owned' ? owned : answer).output?.data, right, `${name}, ${way},`);
      times[way] = await timeCall(call, seconds);
    } catch (error) {
      times.refusals[way] = /** @type {Error} */ (error).message;
    }
  }
  return times;
}
