import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { discoverPlugins, type Plugin } from '../../dist/plugin/discovery.js';
import { createModel, loadModelClass } from '../../dist/plugin/loadPlugin.js';
import type { TrainingProgress } from '../../dist/plugin/trainingProgress.js';
import { trainPlugin } from '../../dist/training/trainer.js';
import { temporaryFolder, useTemporaryData } from '../plugin/temporaryFolder.js';
import { learnerSource } from './learner.js';

let data: string;
let plugin: Plugin;
let onnx: Plugin;

beforeAll(async () => {
  data = await useTemporaryData();
  const folder = await temporaryFolder({
    'learner/index.ts': learnerSource,
    'learner/config.yaml': 'scale: 10',
    'iris/model.onnx': '',
  });
  const catalog = await discoverPlugins([folder]);
  plugin = catalog.find('learner');
  onnx = catalog.find('iris');
});

const saved = () => path.join(data, 'models', 'learner');

describe('training', () => {
  test('runs on the plugin’s own data, saves, and the next load finds it', async () => {
    const result = await trainPlugin(plugin);

    expect(result).toEqual({
      status: 'trained',
      metrics: { slope: 20, rows: 2, loss: 0.123456789 },
      savedTo: saved(),
      wasLoaded: false,
    });
    const model = createModel(await loadModelClass(plugin), plugin, plugin);
    await model.load();
    expect(await model.predict({ data: 3, options: {} })).toEqual({ predictions: 60 });
  });

  test('runs on the caller’s data and settings, and tells of each step', async () => {
    const heard: TrainingProgress[] = [];
    const result = await trainPlugin(plugin, {
      data: { x: [1, 1, 1], y: [3, 3, 3] },
      config: { steps: 3 },
      onProgress: (progress) => heard.push(progress),
    });

    expect(result.metrics).toMatchObject({ slope: 30, rows: 3 });
    expect(heard).toEqual([
      { step: 1, total: 3, message: 'fitting', metrics: { loss: 1 } },
      { step: 2, total: 3, message: 'fitting', metrics: { loss: 1 / 2 } },
      { step: 3, total: 3, message: 'fitting', metrics: { loss: 1 / 3 } },
    ]);
    expect(readFileSync(path.join(saved(), 'slope.json'), 'utf8')).toBe('30');
  });
});

describe('training fails', () => {
  const mood = (name: string) => trainPlugin(plugin, { config: { mood: name } });

  test('where train() throws: its message and place, in one line', async () => {
    await expect(mood('throw')).rejects.toMatchObject({
      name: 'CloudEasyMLError',
      code: 'plugin_failed',
      message: expect.stringMatching(
        /^The training failed\. RangeError: it diverged \(index\.ts:\d+:\d+\)$/,
      ),
    });
  });

  test('where the data does not fit: as the caller’s fault, with its path', async () => {
    await expect(trainPlugin(plugin, { data: { x: 'many' } })).rejects.toMatchObject({
      code: 'invalid_input',
      path: 'x',
      message: 'x: expected a list of numbers',
    });
  });

  test('where the plugin ends its thread, or throws outside train()', async () => {
    await expect(mood('exit')).rejects.toMatchObject({
      code: 'plugin_failed',
      message: 'The training ended its own thread, with exit code 3.',
    });
    await expect(mood('later')).rejects.toMatchObject({
      code: 'plugin_failed',
      message: 'The training failed outside train(): left behind',
    });
  });

  test('where train() answers with something else', async () => {
    await expect(mood('nothing')).rejects.toMatchObject({
      code: 'plugin_failed',
      message: 'train(): expected a mapping with a status but received nothing.',
    });
    await expect(mood('text')).rejects.toMatchObject({
      code: 'plugin_failed',
      message: 'train().metrics.loss: expected a number but received "low".',
    });
  });

  test('where there is no code', async () => {
    await expect(trainPlugin(onnx)).rejects.toMatchObject({
      code: 'invalid_input',
      message: 'iris is a plugin with no code: there is nothing to train.',
    });
  });
});

describe('a training is stopped by its signal', () => {
  test('even where its code never gives way', async () => {
    const stop = new AbortController();
    const training = trainPlugin(plugin, {
      config: { mood: 'loop', steps: 2 },
      signal: stop.signal,
      onProgress: ({ step }) => step === 2 && stop.abort(),
    });
    await expect(training).rejects.toMatchObject({
      code: 'cancelled',
      message: 'The training of learner was stopped.',
    });
  });

  test('before it has begun', async () => {
    await expect(trainPlugin(plugin, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });
});
