import { existsSync } from 'node:fs';
import path from 'node:path';
import { modelDirectory } from 'cloudeasyml';
import { beforeAll, expect, test } from 'vitest';
import { useTemporaryData } from './temporaryFolder.js';

let data: string;
beforeAll(async () => {
  data = await useTemporaryData();
});

test('a model’s folder is made below the data folder', () => {
  const folder = modelDirectory('review-v2.1');
  expect(folder).toBe(path.join(data, 'models', 'review-v2.1'));
  expect(existsSync(folder)).toBe(true);
});

test.each(['', '..', '../up', 'a/b', '.hidden', '/etc'])('%j is no model’s name', (name) => {
  expect(() => modelDirectory(name)).toThrow(
    expect.objectContaining({
      code: 'invalid_input',
      message: `modelDirectory: expected a model's name but received ${JSON.stringify(name)}.`,
    }),
  );
});
