import { expect, it } from 'vitest';
import { runUnitTests, unitTestObstacle } from '../../scripts/nativeTests/unitTests.mjs';

it('the unit tests of the native code pass', async ({ skip }) => {
  const obstacle = unitTestObstacle();
  if (obstacle) {
    console.log(`The native unit tests were skipped: ${obstacle}.`);
    skip();
  }
  const { status, output } = await runUnitTests();
  expect(status, output).toBe(0);
}, 300_000);
