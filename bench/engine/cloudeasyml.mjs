// Times `session.run` of this package. Takes an EngineCase as JSON, prints CallTimes as JSON.
import { InferenceSession, Tensor } from 'cloudeasyml';
import { expectSame } from '../answers.mjs';
import { readFloats } from '../models/floatFile.mjs';
import { timeCalls } from './callSuite.mjs';

/** @type {import('./engineBench.mjs').EngineCase} */
const { files, dims, seconds } = JSON.parse(process.argv[2] ?? '');
const session = InferenceSession.createSync(files.model);
const feeds = { input: new Tensor('float32', readFloats(files.input), dims) };
const [output] = Object.values(session.run(feeds));
if (!output) throw new Error('The model has no output.');
const owned = { output: new Tensor('float32', new Float32Array(output.size), output.dims) };
session.run(feeds, owned);
const expected = readFloats(files.expected);
expectSame(/** @type {Float32Array} */ (output.data), expected, 'CloudEasyML');
expectSame(owned.output.data, expected, 'CloudEasyML, into memory of the caller,');

const times = await timeCalls(
  { allocated: () => session.run(feeds), owned: () => session.run(feeds, owned) },
  seconds,
);
console.log(JSON.stringify(times));
