// npm run test:native: builds and runs the unit tests of the native code.
//
//   node scripts/testNative.mjs [address|thread]    with a sanitizer
import { runUnitTests, unitTestObstacle } from './nativeTests/unitTests.mjs';

const obstacle = unitTestObstacle();
if (obstacle) {
  console.error(`The native unit tests can't run: ${obstacle}.`);
  process.exit(1);
}
try {
  const { status } = await runUnitTests({ sanitize: process.argv[2], shown: true });
  process.exitCode = status ?? 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
