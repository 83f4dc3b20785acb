import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import {
  buildFuzzers,
  fuzzObstacle,
  fuzzTargets,
  runFuzzer,
} from '../../scripts/nativeTests/fuzzing.mjs';
import { temporaryFolder } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const obstacle = fuzzObstacle();
let programs: string;

beforeAll(async () => {
  if (obstacle) console.log(`The fuzz targets were skipped: ${obstacle}.`);
  else programs = await buildFuzzers();
}, 300_000);

it.skipIf(obstacle).each(fuzzTargets)(
  '%s takes a few thousand inputs without a report',
  async (name) => {
    const { status, output } = await runFuzzer(programs, name, {
      corpus: path.join(folder, name),
      findings: path.join(folder, 'findings'),
      // The same inputs each time: a test must not find something new.
      limits: ['-runs=4000', '-seed=1'],
    });
    expect(status, output).toBe(0);
  },
);
