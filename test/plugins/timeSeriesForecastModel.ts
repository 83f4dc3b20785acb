/** The plugin's classes as the server has them, its example series, and a model that comes with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { importPlugin } from './importPlugin.js';

// The plugin's own copy of the class.
type Engine = typeof import('../../dist/engine/tensor.js');
export const { Tensor } = await importPlugin<Engine>('dist/engine/tensor.js');
type Module = typeof import('../../plugins/timeSeriesForecast/index.js');
export const { TimeSeriesForecastModel } = await importPlugin<Module>(
  'plugins/timeSeriesForecast/index.ts',
);
type Series = typeof import('../../plugins/timeSeriesForecast/series.js');
const { exampleSeries } = await importPlugin<Series>('plugins/timeSeriesForecast/series.ts');
/** The series that the model which comes with the plugin was trained on. */
export const co2 = exampleSeries();

/** A model that nobody has trained: the one that comes with the plugin. */
export function pretrainedModel(): InstanceType<typeof TimeSeriesForecastModel> {
  const dataFolder = mkdtempSync(path.join(tmpdir(), 'cloudeasyml-series-'));
  process.env.CLOUDEASYML_DATA = dataFolder;
  const model = new TimeSeriesForecastModel({});
  afterAll(() => {
    model.unload();
    rmSync(dataFolder, { recursive: true });
  });
  return model;
}
