import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { discoverPlugins } from '../../dist/plugin/discovery.js';
import { adderSource, temporaryFolder, useTemporaryData } from './temporaryFolder.js';

beforeAll(useTemporaryData);

/** The reason for which a plugin of these files is broken, beside one that is served all the same. */
async function reasonFor(files: Record<string, string>, timeoutMs?: number): Promise<string> {
  const inFolder = Object.entries(files).map(([name, content]) => [`faulty/${name}`, content]);
  const folder = await temporaryFolder({
    ...Object.fromEntries(inFolder),
    'adder/index.ts': adderSource(),
  });
  const { plugins, broken } = await discoverPlugins([folder], { timeoutMs });
  expect(plugins.map(({ name }) => name)).toEqual(['adder']);
  expect(broken).toMatchObject([{ name: 'faulty', directory: path.join(folder, 'faulty') }]);
  return broken[0]!.reason.replaceAll(path.join(folder, 'faulty'), '<faulty>');
}

const faulty = (parts: Parameters<typeof adderSource>[0]) => ({
  'index.ts': adderSource({ name: 'faulty', ...parts }),
});

describe('code that does not load', () => {
  test('a syntax error, with its file, line and column', async () => {
    expect(await reasonFor({ 'index.ts': 'export const a = 1;\n\nexport const b: = 3;\n' })).toBe(
      'SyntaxError: Unexpected token (index.ts:3:16)',
    );
  });

  test('a syntax error in a file that the index file imports', async () => {
    const files = { 'index.ts': "export * from './model.js';", 'model.ts': 'export class {{\n' };
    expect(await reasonFor(files)).toMatch(/^SyntaxError: .+ \(model\.ts:1:\d+\)$/);
  });

  test('an error at import, with its place', async () => {
    expect(await reasonFor(faulty({ top: "throw new RangeError('too soon');" }))).toMatch(
      /^RangeError: too soon \(index\.ts:2:\d+\)$/,
    );
  });

  test('something thrown that is no error', async () => {
    expect(await reasonFor(faulty({ top: "throw 'just text';" }))).toBe(
      'It threw "just text", which is not an Error.',
    );
  });

  test('a package that is not installed, with the command that installs it', async () => {
    expect(await reasonFor(faulty({ top: "import x from 'no-such-package/part'; x();" }))).toBe(
      'index.ts imports the package no-such-package, which is not installed. ' +
        'Install it with: npm install no-such-package (in <faulty>).',
    );
  });

  test('a file of its own that is not there', async () => {
    expect(await reasonFor(faulty({ top: "import x from './missing.js'; x();" }))).toBe(
      'index.ts imports ./missing.js, and there is no such file.',
    );
  });
});

describe('code that takes its thread with it', () => {
  test('process.exit() at import', async () => {
    expect(await reasonFor(faulty({ top: 'process.exit(7);' }))).toBe(
      'It ended its thread at import, with process.exit(7).',
    );
  });

  test('a loop at import', async () => {
    expect(await reasonFor(faulty({ top: 'for (;;) {}' }), 5_000)).toBe(
      'It was not imported within 5 seconds.',
    );
  });

  test('an await without end at import', async () => {
    expect(await reasonFor(faulty({ top: 'await new Promise(() => {});' }))).toBe(
      'Its import awaits something that never comes.',
    );
  });

  test('a timer at import does not keep a good plugin from being served', async () => {
    const folder = await temporaryFolder({
      'adder/index.ts': adderSource({ top: 'setInterval(() => {}, 1000);' }),
    });
    const { plugins } = await discoverPlugins([folder]);
    expect(plugins.map(({ name }) => name)).toEqual(['adder']);
  });
});

describe('a class that is no model', () => {
  test('lacks a method, which is named', async () => {
    const source = `export class Faulty {
      getMetadata() { return { name: 'faulty', version: '1.0.0' }; }
      predict() {}
    }`;
    expect(await reasonFor({ 'index.ts': source })).toBe(
      'The class that index.ts exports (Faulty) has no method load(), train().',
    );
  });

  test('is not exported', async () => {
    expect(await reasonFor({ 'index.ts': 'export const model = 1;' })).toBe(
      'index.ts exports no class; expected one that extends BaseModel.',
    );
  });

  test('is one of several', async () => {
    const source = `import { BaseModel } from 'cloudeasyml';
      class Base extends BaseModel {
        getMetadata() { return { name: 'faulty', version: '1.0.0' }; }
        load() {} predict() { return { predictions: 0 }; } train() { return { status: '' }; }
      }
      export class A extends Base {}
      export class B extends Base {}`;
    expect(await reasonFor({ 'index.ts': source })).toBe(
      'index.ts exports several model classes, A and B; make one the default export.',
    );
  });

  test('has a constructor that throws', async () => {
    const extra = "constructor(config: any) { super(config); throw new Error('no weights'); }";
    expect(await reasonFor(faulty({ extra }))).toMatch(/^Error: no weights \(index\.ts:\d+:\d+\)$/);
  });
});

describe('metadata that is not', () => {
  test('throws', async () => {
    const extra = "override getMetadata(): any { throw new Error('no idea'); }";
    expect(await reasonFor(faulty({ extra }))).toMatch(
      /^getMetadata\(\) failed\. Error: no idea \(index\.ts:\d+:\d+\)$/,
    );
  });

  test('is of the wrong types: every fault is named', async () => {
    const extra = `override getMetadata(): any {
      return { name: '../up', version: 'one', tags: 'a', minMemoryGb: -1 };
    }`;
    const reason = await reasonFor(faulty({ extra }));
    expect(reason).toContain('getMetadata().name: expected a name of letters, digits');
    expect(reason).toContain('but received "../up".');
    expect(reason).toContain(
      'version: expected a semantic version such as "1.0.0" but received "one".',
    );
    expect(reason).toContain('getMetadata().tags: expected a list of texts but received "a".');
    expect(reason).toContain('minMemoryGb: expected a number of at least 0 but received -1.');
  });

  test('has a mistyped key', async () => {
    expect(await reasonFor(faulty({ metadata: 'gpuRequried: true' }))).toBe(
      'getMetadata().gpuRequried: there is no such metadata; did you mean gpuRequired?',
    );
  });

  test('is a promise', async () => {
    const extra = 'override async getMetadata(): any { return {}; }';
    expect(await reasonFor(faulty({ extra }))).toMatch(
      /^getMetadata\(\) failed\. DataCloneError: .*Promise/,
    );
  });
});

describe('a config.yaml that does not fit', () => {
  test('is not YAML', async () => {
    const files = { ...faulty({}), 'config.yaml': 'a: 1\nb: [1, 2\n' };
    expect(await reasonFor(files)).toMatch(
      /^<faulty>\/config\.yaml, line \d: not valid YAML: .+\.$/,
    );
  });

  test('has a setting of the wrong kind', async () => {
    const files = { ...faulty({}), 'config.yaml': 'offset: 1\nserving:\n  maxBatchSize: many\n' };
    expect(await reasonFor(files)).toBe(
      '<faulty>/config.yaml, line 3: serving.maxBatchSize: ' +
        'expected an integer from 0 to 2147483647 but received "many".',
    );
  });

  test('has a mistyped setting', async () => {
    const files = { ...faulty({}), 'config.yaml': 'serving:\n  timeoutMs: 5\n  maxBatchsize: 4\n' };
    expect(await reasonFor(files)).toBe(
      '<faulty>/config.yaml, line 3: serving.maxBatchsize: there is no such setting; did you mean maxBatchSize?',
    );
  });

  test('names a model that is not there', async () => {
    const files = { 'config.yaml': 'serving: {model: gone.onnx}' };
    expect(await reasonFor(files)).toBe(
      'serving.model names gone.onnx, and there is no file <faulty>/gone.onnx.',
    );
  });

  test('stands alone', async () => {
    expect(await reasonFor({ 'config.yaml': '' })).toBe(
      'It has a config.yaml, but neither an index.ts or index.js nor a model.onnx.',
    );
  });

  test('gives a plugin with no code settings that nothing reads', async () => {
    const files = { 'model.onnx': '', 'config.yaml': 'metadata: {author: me}\nservng: {}\n' };
    expect(await reasonFor(files)).toBe(
      '<faulty>/config.yaml, line 2: servng: there is no such setting; did you mean serving?',
    );
  });

  test('describes a plugin with no code wrongly', async () => {
    const files = { 'model.onnx': '', 'config.yaml': 'metadata:\n  tags: [a, 1]\n' };
    expect(await reasonFor(files)).toBe(
      '<faulty>/config.yaml, line 2: metadata.tags[1]: expected text but received 1.',
    );
  });
});
