import { expect, it } from 'vitest';
import { arm64Obstacle, runArm64UnitTests } from '../../scripts/nativeTests/arm64.mjs';

it('the unit tests of the native code pass on arm64', async ({ skip }) => {
  const obstacle = arm64Obstacle();
  if (obstacle) {
    console.log(`The native unit tests on arm64 were skipped: ${obstacle}.`);
    skip();
  }
  const { status, output } = await runArm64UnitTests();
  expect(status, output).toBe(0);
}, 300_000);
