import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TrainingProgress } from 'cloudeasyml';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { importPlugin } from './importPlugin.js';

type Progress = typeof import('../../dist/plugin/trainingProgress.js');
const { onProgress } = await importPlugin<Progress>('dist/plugin/trainingProgress.js');
type Module = typeof import('../../plugins/housingCrisis/index.js');
const { HousingCrisisModel } = await importPlugin<Module>('plugins/housingCrisis/index.ts');

const root = mkdtempSync(path.join(tmpdir(), 'cloudeasyml-training-'));
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  process.env.CLOUDEASYML_DATA = mkdtempSync(path.join(root, 'data-'));
});

/** Few and small trees, so that a training takes a moment. */
const quick = { rounds: 30, learningRate: 0.3, maxDepth: 3 };

/** A market with a known rule: rooms raise the price, crime lowers it, the river adds to it. */
function market(count: number) {
  const X = Array.from({ length: count }, (_, row) => {
    const wave = (salt: number) => Math.abs(Math.sin(row * salt + 1));
    const crim = 20 * wave(1.7);
    const rm = 4 + 4 * wave(2.3);
    const chas = Number(wave(3.1) > 0.7);
    return [crim, 0, 10 * wave(0.9), chas, 0.5, rm, 50, 4, 5, 300, 18, 390, 30 * wave(0.37)];
  });
  return { X, y: X.map(([crim, , , chas, , rm]) => 10 * rm! - crim! + 12 * chas! - 20) };
}

async function predict(X: number[][]): Promise<number[]> {
  const model = new HousingCrisisModel({});
  await model.load();
  const { predictions } = model.predict({ data: X, options: {} });
  model.unload();
  return [predictions].flat().map(Number);
}

test('trains on the Boston data, reports how it goes and what came of it', async () => {
  const reports: TrainingProgress[] = [];
  onProgress((progress) => reports.push(progress));
  const result = await new HousingCrisisModel({}).train(undefined, quick);
  onProgress(undefined);
  expect(result.status).toBe('trained');
  expect(result.savedTo).toBe(path.join(process.env.CLOUDEASYML_DATA!, 'models', 'housingCrisis'));
  const { rmse, r2, ridgeRmse, treesRmse, treeShare, testRows } = result.metrics!;
  expect(r2).toBeGreaterThan(0.75);
  expect(rmse).toBeLessThan(Math.max(ridgeRmse!, treesRmse!));
  expect(treeShare).toBeGreaterThan(0);
  expect(treeShare).toBeLessThan(1);
  expect(testRows).toBe(76);
  expect(reports.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
  expect(reports.at(-1)).toMatchObject({
    total: 30,
    metrics: { validationRmse: expect.any(Number) },
  });
});

test('serves what was trained on the caller’s data, as well as the metrics say', async () => {
  const { X, y } = market(240);
  const model = new HousingCrisisModel({});
  const before = await predict(X);
  const { metrics } = await model.train({ X, y }, quick);
  expect(metrics!.r2).toBeGreaterThan(0.95);
  const after = await predict(X);
  expect(after).not.toEqual(before);
  const rmse = Math.sqrt(after.reduce((sum, p, row) => sum + (p - y[row]!) ** 2, 0) / y.length);
  expect(rmse).toBeLessThan(1.5 * metrics!.rmse!);
});

test('judges a crisis by the market that it was trained on', async () => {
  const { X, y } = market(120);
  await new HousingCrisisModel({}).train({ X, y }, quick);
  const model = new HousingCrisisModel({});
  await model.load();
  const { metadata } = model.predict({ data: X, options: { crisisDetection: true } });
  const sorted = y.toSorted((a, b) => a - b);
  expect(metadata!.metrics).toMatchObject({
    baselineMedianPrice: expect.closeTo((sorted[59]! + sorted[60]!) / 2, 3),
  });
  model.unload();
});

test('chooses by the caller’s validation rows where there are any', async () => {
  const all = market(200);
  const valX = all.X.slice(150);
  const valY = all.y.slice(150);
  const { metrics } = await new HousingCrisisModel({}).train(
    { X: all.X.slice(0, 150), y: all.y.slice(0, 150), valX, valY },
    quick,
  );
  expect(metrics).toMatchObject({ validationRows: 50, testRows: 23, trainingRows: 127 });
});

test('gives the same model for the same seed and another for another', async () => {
  const train = async (seed: number) => {
    const { X, y } = market(100);
    const { savedTo } = await new HousingCrisisModel({}).train({ X, y }, { ...quick, seed });
    return readFileSync(path.join(savedTo!, 'model.onnx'));
  };
  const first = await train(7);
  expect((await train(7)).equals(first)).toBe(true);
  expect((await train(8)).equals(first)).toBe(false);
});

test('takes settings from config.yaml and the caller’s over them', async () => {
  const model = new HousingCrisisModel({ training: { rounds: 5, maxDepth: 2 } });
  const data = market(60);
  expect((await model.train(data, {})).metrics!.trees).toBeLessThanOrEqual(5);
  const reports: TrainingProgress[] = [];
  onProgress((progress) => reports.push(progress));
  await model.train(data, { rounds: 7 });
  onProgress(undefined);
  expect(reports).toHaveLength(7);
});

test.each([
  [[1, 2], {}, 'trainingData.X', 'an array of rows but received nothing'],
  ['boston', {}, 'trainingData', 'received a string'],
  [{ ...market(60), y: [1] }, {}, 'trainingData.y', '60 prices'],
  [{ ...market(60), valX: market(5).X }, {}, 'trainingData.valY', '5 prices'],
  [market(39), {}, 'trainingData.X', 'at least 40 rows but received 39'],
  [market(60), { rounds: 0 }, 'config.rounds', 'received 0'],
  [market(60), { round: 10 }, 'config', 'round'],
])(
  'refuses training data or settings that do not fit: %#',
  async (data, config, where, message) => {
    await expect(new HousingCrisisModel({}).train(data, config)).rejects.toMatchObject({
      name: 'InputError',
      path: where,
      message: expect.stringContaining(message),
    });
  },
);

test('refuses to serve two files that do not belong together', async () => {
  const { savedTo } = await new HousingCrisisModel({}).train(market(60), quick);
  const file = path.join(savedTo!, 'model.json');
  const details = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...details, sha256: '0'.repeat(64) }));
  await expect(new HousingCrisisModel({}).load()).rejects.toThrow(/is not the one/);
});
