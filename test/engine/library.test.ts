import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { configureRuntime, InferenceSession, runtimeInfo } from 'cloudeasyml';
import { describe, expect, test } from 'vitest';
import { expectError } from '../support/errors.js';
import { identity } from '../support/onnxModels.js';
import { temporaryFolder, writeIn } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const model = writeIn(folder, 'identity.onnx', identity('float32', [null]));

/** What a fresh process prints: the runtime is configured once per process. */
async function printed(script: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { configureRuntime, InferenceSession, runtimeInfo, Tensor } from 'cloudeasyml';
     const attempt = (action) => {
       try { action(); return 'fine'; } catch (error) { return error.code + ': ' + error.message; }
     };
     ${script}`,
  ]);
  return stdout.trim();
}

test('the bundled library is found, and says what it is', () => {
  const info = runtimeInfo();
  expect(info.version).toMatch(/^1\.\d+\.\d+$/);
  expect(path.isAbsolute(info.library)).toBe(true);
  expect(info.executionProviders).toContain('cpu');
});

describe('a library', () => {
  test('that is not there is named', async () => {
    expect(
      await printed(
        `console.log(attempt(() => configureRuntime({ library: '/no/libonnxruntime.so' })));`,
      ),
    ).toMatch(
      /^library_unavailable: .*"\/no\/libonnxruntime\.so" could not be loaded: .*No such file/,
    );
  });

  test('that is something else is refused', async () => {
    expect(
      await printed(
        `console.log(attempt(() => configureRuntime({ library: ${JSON.stringify(model)} })));`,
      ),
    ).toMatch(/^library_unavailable: .*identity\.onnx" could not be loaded/);
  });

  test('that fails can be followed by one that works', async () => {
    const output = await printed(`
      attempt(() => configureRuntime({ library: '/no/libonnxruntime.so' }));
      InferenceSession.createSync(${JSON.stringify(model)});
      console.log(runtimeInfo().version);
    `);
    expect(output).toBe(runtimeInfo().version);
  });
});

describe('settings', () => {
  test('hold for the process: the same are fine, others are refused', async () => {
    const output = await printed(`
      configureRuntime({ intraOpThreads: 2 });
      console.log(attempt(() => configureRuntime({ intraOpThreads: 2 })));
      console.log(attempt(() => configureRuntime({ intraOpThreads: 3 })));
      const session = InferenceSession.createSync(${JSON.stringify(model)});
      console.log(session.run({ x: new Tensor('float32', new Float32Array(3)) }).y.size);
    `);
    expect(output.split('\n')).toEqual(['fine', expect.stringMatching(/^conflict: /), '3']);
  });

  test('hold for workers that start later', async () => {
    const output = await printed(`
      import { Worker } from 'node:worker_threads';
      configureRuntime({ intraOpThreads: 2 });
      const worker = new Worker(\`
        import('cloudeasyml').then(({ InferenceSession, configureRuntime }) => {
          InferenceSession.createSync(${JSON.stringify(model)});
          configureRuntime({ intraOpThreads: 2 });
          console.log('works');
        });
      \`, { eval: true });
    `);
    expect(output).toBe('works');
  });

  test('of a wrong kind are refused', () => {
    for (const intraOpThreads of [-1, 1.5, Number.NaN]) {
      expectError(() => configureRuntime({ intraOpThreads }), {
        code: 'invalid_input',
        path: 'intraOpThreads',
      });
    }
  });
});

test('an addon that is not there is named with the command that builds it', async () => {
  const run = promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', "await import('cloudeasyml')"],
    { env: { ...process.env, CLOUDEASYML_ADDON: '/no/addon.node' } },
  );
  await expect(run).rejects.toThrow(
    /native engine "\/no\/addon\.node" did not load.*npm run build/,
  );
});

test('one session serves the promise form from many calls at once', async () => {
  const sessions = await Promise.all(
    Array.from({ length: 20 }, () => InferenceSession.create(model)),
  );
  expect(new Set(sessions.map(({ inputs }) => inputs[0]!.name))).toEqual(new Set(['x']));
  for (const session of sessions) session.release();
});
