import { defineConfig } from 'vitest/config';
import type { Reporter } from 'vitest/node';

/** Ends the output with one plain line of counts, for programs that read it. */
const counts: Reporter = {
  onTestRunEnd(modules) {
    const number = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      let failedInModule = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        number[state]++;
        if (state === 'failed') failedInModule++;
      }
      // A file that could not be imported, or whose hooks threw, holds no failed test.
      if (module.state() === 'failed' && failedInModule === 0) number.failed++;
    }
    console.log(`${number.passed} passed, ${number.failed} failed, ${number.skipped} skipped`);
  },
};

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // The addon and its threads belong to a process: each file gets one of its own.
    pool: 'forks',
    // Files start servers and pools of their own; more than two at once only wait for each other.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', counts],
  },
});
