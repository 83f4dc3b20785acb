// `cloudeasyml train` as a program of its own, so that tests can read its streams and send it signals.
import { runTrain } from '../../dist/cli/train.js';

process.exitCode = await runTrain(process.argv.slice(2));
