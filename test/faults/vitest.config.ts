import { defineConfig } from 'vitest/config';

/** `npm run test:faults`: what takes minutes and depends on chance. */
export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    include: ['test/faults/**/*.faults.ts'],
    disableConsoleIntercept: true,
  },
});
