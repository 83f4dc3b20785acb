import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generateConstants } from '../../scripts/generateConstants.mjs';

test.each(Object.entries(generateConstants()))(
  '%s is as npm run generate writes it',
  (file, content) => {
    expect(readFileSync(file, 'utf8')).toBe(content);
  },
);
