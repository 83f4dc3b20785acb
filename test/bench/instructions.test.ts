import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compare } from '../../bench/guard/compare.mjs';
import { countInstructions, toolchain } from '../../bench/guard/instructions.mjs';
import { isInstalled } from '../../scripts/cmake.mjs';
import { temporaryFolder } from '../support/temporaryFolder.js';

const file = new URL('../../bench/guard/recorded.json', import.meta.url);
const recorded = JSON.parse(readFileSync(file, 'utf8'));

/** Why counts found here can't be held against the recorded ones; undefined where they can. */
function obstacle(): string | undefined {
  if (!isInstalled('valgrind')) return 'valgrind is not installed';
  const here = Object.entries(toolchain());
  const other = here.find(([key, value]) => recorded.toolchain[key] !== value);
  return other && `recorded with ${recorded.toolchain[other[0]]}, here is ${other[1]}`;
}

it('a request takes the engine no more instructions than recorded, within the tolerance', async ({
  skip,
}) => {
  const why = obstacle();
  if (why) {
    console.log(`Instructions were not counted: ${why}.`);
    skip();
  }
  const found = compare(await countInstructions(temporaryFolder()), recorded.instructions);
  const grown = found.filter(({ part, verdict }) => part === 'engine' && verdict === 'grown');
  expect(grown, 'where that is meant: npm run bench:guard -- --record').toEqual([]);
}, 300_000);
