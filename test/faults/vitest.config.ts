import { defineConfig } from 'vitest/config';

/** `npm run test:faults`: what takes minutes and depends on chance. */
export default defineConfig({
  test: {
    include: ['test/faults/**/*.faults.ts'],
    disableConsoleIntercept: true,
  },
});
