import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { BaseModel, InputError } from 'cloudeasyml';
import { beforeAll, describe, expect, test } from 'vitest';
import { createModel, loadModelClass } from '../../dist/plugin/loadPlugin.js';
import { servingDefaults } from '../../dist/plugin/servingConfig.js';
import { adderSource, temporaryFolder, useTemporaryData } from './temporaryFolder.js';

beforeAll(useTemporaryData);

/** A plugin of these files, as discovery hands it on. */
async function pluginOf(files: Record<string, string>, config: Record<string, unknown> = {}) {
  const directory = await temporaryFolder(files);
  const entry = ['index.ts', 'index.js', 'index.mjs'].find((name) => name in files)!;
  const names = { name: 'adder', directory, entry: path.join(directory, entry) };
  return { ...names, config, serving: servingDefaults };
}

async function modelOf(files: Record<string, string>, config: Record<string, unknown> = {}) {
  const plugin = await pluginOf(files, config);
  const model = createModel(await loadModelClass(plugin), plugin, plugin);
  await model.load();
  return model;
}

const predictions = async (model: BaseModel, data: unknown) =>
  (await model.predict({ data, options: {} })).predictions;

const guarded = adderSource({
  top: "import { InputError } from 'cloudeasyml';",
  extra: `override predict({ data }: PredictionInput) {
    if (!Array.isArray(data)) throw new InputError('data', 'expected numbers');
    return { predictions: data.map((x: number) => x + (this.config.offset ?? 0)) };
  }`,
});

describe('a plugin outside the package', () => {
  test('gets the server’s own BaseModel and InputError', async () => {
    const model = await modelOf({ 'index.ts': guarded }, { offset: 10 });

    expect(model).toBeInstanceOf(BaseModel);
    expect(await predictions(model, [1, 2])).toEqual([11, 12]);
    expect(() => model.predict({ data: 'x', options: {} })).toThrow(InputError);
  });

  test('in a worker thread too, several at once', async () => {
    const plugin = await pluginOf({ 'index.ts': guarded }, { offset: 0.5 });
    const inThread = () =>
      new Promise((resolve, reject) => {
        const script = new URL('./loadInThread.mjs', import.meta.url);
        const worker = new Worker(script, { workerData: plugin });
        worker.on('message', resolve);
        worker.on('error', reject);
      });

    const answers = await Promise.all([inThread(), inThread(), inThread()]);
    const expected = { predictions: [1.5, 2.5], isBaseModel: true, isInputError: true };
    expect(answers).toEqual([expected, expected, expected]);
  });

  test('is given its session options before load()', async () => {
    const plugin = await pluginOf({ 'index.ts': adderSource() });
    const serving = {
      ...servingDefaults,
      executionProviders: ['cuda', 'cpu'],
      session: { intraOpThreads: 2 },
    };
    const model = createModel(await loadModelClass(plugin), plugin, { config: {}, serving });

    expect(model.sessionOptions).toEqual({
      executionProviders: ['cuda', 'cpu'],
      intraOpThreads: 2,
    });
    expect(model.isLoaded).toBe(false);
  });
});

describe('the languages of a plugin', () => {
  test('TypeScript with what only TypeScript has, over several files', async () => {
    const model = await modelOf({
      'index.ts': "export { Adder } from './model.js';",
      'model.ts': `
        import { BaseModel, ModelMetadata, PredictionInput } from 'cloudeasyml';
        import { offsets } from './offsets';
        import names from './names.json' with { type: 'json' };
        enum Unit { One = 1, Ten = 10 }
        const late = await Promise.resolve(100);
        export class Adder extends BaseModel {
          private readonly unit: Unit = Unit.Ten;
          constructor(config: Record<string, unknown>, private readonly more = late) { super(config); }
          getMetadata() { return { name: names.name, version: '1.0.0' } satisfies Partial<ModelMetadata>; }
          load(): void { this.isLoaded = true; }
          predict({ data }: PredictionInput) {
            return { predictions: (data as number) + this.unit + this.more + offsets.thousand! };
          }
          train() { return { status: 'none' }; }
        }`,
      'offsets.ts': 'export const offsets: Record<string, number> = { thousand: 1_000 };',
      'names.json': '{"name": "fromJson"}',
    });

    expect(await predictions(model, 1)).toBe(1111);
    expect(model.getMetadata().name).toBe('fromJson');
  });

  const methods = `getMetadata() { return { name: 'adder', version: '1.0.0' }; }
    load() { this.isLoaded = true; }
    predict({ data }) { return { predictions: data + 1 }; }
    train() { return { status: 'none' }; }`;

  test('an ES module in JavaScript', async () => {
    const source = `import { BaseModel } from 'cloudeasyml';
      export class Adder extends BaseModel { ${methods} }`;
    const layouts: Record<string, string>[] = [
      { 'index.js': source },
      { 'index.mjs': source },
      { 'index.js': source, 'package.json': '{"type": "module"}' },
    ];
    for (const files of layouts) {
      const model = await modelOf(files);
      expect(model).toBeInstanceOf(BaseModel);
      expect(await predictions(model, 1)).toBe(2);
    }
  });

  test('CommonJS', async () => {
    const exported = `const { BaseModel } = require('cloudeasyml');
      class Adder extends BaseModel { ${methods} }`;
    for (const end of ['module.exports = Adder;', 'exports.Adder = Adder;']) {
      const model = await modelOf({ 'index.js': `${exported}\n${end}` });
      expect(model).toBeInstanceOf(BaseModel);
      expect(await predictions(model, 1)).toBe(2);
    }
  });

  test('a class of its own with the same methods', async () => {
    const model = await modelOf({ 'index.ts': `export default class { ${methods} }` });
    expect(await predictions(model, 1)).toBe(2);
  });
});

describe('what a plugin imports', () => {
  const importing = (specifier: string, expression: string) =>
    adderSource({
      top: `import * as all from '${specifier}'; import imported from '${specifier}';`,
      extra: `override predict(): any { return { predictions: ${expression} }; }`,
    });
  const packageFile = (name: string, version: string, type = 'commonjs') =>
    JSON.stringify({ name, version, type, main: 'index.js' });

  test('is its own folder’s package before the server’s', async () => {
    const model = await modelOf({
      'index.ts': importing('semver', 'imported.mark'),
      'node_modules/semver/package.json': packageFile('semver', '0.0.1'),
      'node_modules/semver/index.js': "module.exports = { mark: 'its own' };",
    });
    expect(await predictions(model, null)).toBe('its own');
  });

  test('else the server’s: CommonJS', async () => {
    const model = await modelOf({
      'index.ts': importing('semver', "[imported.major('3.2.1'), all.minor('3.2.1')]"),
    });
    expect(await predictions(model, null)).toEqual([3, 2]);
  });

  test('else the server’s: an ES module, a subpath', async () => {
    const piscina = await modelOf({
      'index.ts': importing('jiti', 'typeof imported + typeof all.createJiti'),
    });
    expect(await predictions(piscina, null)).toBe('functionfunction');
    const subpath = await modelOf({ 'index.ts': importing('zod/v4', 'typeof all.z.string') });
    expect(await predictions(subpath, null)).toBe('function');
  });

  test('finds an ES module in its own folder', async () => {
    const model = await modelOf({
      'index.ts': importing('@me/esm', 'imported + all.named'),
      'node_modules/@me/esm/package.json': packageFile('@me/esm', '1.0.0', 'module'),
      'node_modules/@me/esm/index.js': 'export default 40; export const named = 2;',
    });
    expect(await predictions(model, null)).toBe(42);
  });
});

describe('loading again', () => {
  test('serves what the files say now, and leaves the older instance as it was', async () => {
    const files = {
      'index.ts': "export { default } from './model.js';",
      'model.ts': adderSource(),
    };
    const plugin = await pluginOf(files, { offset: 1 });
    const before = createModel(await loadModelClass(plugin), plugin, plugin);
    const changed = adderSource().replace('(x) => x +', '(x) => x * 100 +');
    await writeFile(path.join(plugin.directory, 'model.ts'), changed);
    const after = createModel(await loadModelClass(plugin), plugin, plugin);

    expect(await predictions(before, [1])).toEqual([2]);
    expect(await predictions(after, [1])).toEqual([101]);
  });

  test('errors of a running plugin name the line of its source', async () => {
    const extra = "\n\n  fail(): never { throw new Error('here'); }";
    const plugin = await pluginOf({ 'index.ts': adderSource({ extra }) });
    const model = createModel(await loadModelClass(plugin), plugin, plugin);
    const line =
      adderSource({ extra })
        .split('\n')
        .findIndex((text) => text.includes('fail()')) + 1;
    try {
      Reflect.get(model, 'fail').call(model);
      expect.unreachable();
    } catch (error) {
      expect((error as Error).stack).toContain(`index.ts:${line}:`);
    }
  });
});
