import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { softmaxClassifier } from '../support/onnxModels.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { providerLibraries } from '../support/providerLibraries.js';
import { ServerProcess } from '../support/serverProcess.js';
import { temporaryFolder, writeIn } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const model = writeIn(folder, 'model.onnx', softmaxClassifier());

/** What a fresh process prints: provider libraries are loaded once per process. */
function printed(libraries: Record<string, string>, script = '') {
  const output = execFileSync(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { configureRuntime, InferenceSession, IoBinding, runtimeInfo, Tensor } from 'cloudeasyml';
       const attempt = (action) => {
         try { return action(); } catch ({ code, path, message }) { return { code, path, message }; }
       };
       const x = new Tensor('float32', Float32Array.of(1, 2, 3, 4), [1, 4]);
       const open = (...executionProviders) =>
         InferenceSession.createSync(${JSON.stringify(model)}, { executionProviders });
       const refused = attempt(() => configureRuntime({
         providerLibraries: ${JSON.stringify(libraries)},
       }));
       ${script || 'console.log(JSON.stringify(refused));'}`,
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  // Providers may write to the standard output, too.
  return JSON.parse(output.trim().split('\n').at(-1)!);
}

describe('a provider’s library', () => {
  test('that is not there is named', () => {
    expect(printed({ openvino: '/no/openvino.so' })).toMatchObject({
      code: 'library_unavailable',
      message:
        'The library "/no/openvino.so" of the execution provider "openvino" is not a file that can be read.',
    });
  });

  test.each([
    ['no library at all', model],
    ['another library', cLibrary()],
  ])('that is %s is refused', (_, file) => {
    const { code, message } = printed({ openvino: file });
    expect(code).toBe('library_unavailable');
    expect(message).toContain(
      `The library "${file}" of the execution provider "openvino" could not be loaded as an`,
    );
  });

  test('that fails leaves the engine to be started with others', () => {
    const script = `
      configureRuntime();
      console.log(JSON.stringify(open('cpu').run({ x }).y.dims));`;
    expect(printed({ openvino: '/no/openvino.so' }, script)).toEqual([1, 3]);
  });

  test.each(['CPU', 'cpu', 'Open Vino', ''])('is not called "%s"', (name) => {
    expect(printed({ [name]: '/no/openvino.so' })).toMatchObject({
      code: 'invalid_input',
      path: `providerLibraries.${name}`,
    });
  });
});

describe.each(providerLibraries)('the library of %s', (name, file) => {
  const outcome = `
    const first = attempt(() => open('${name}'));
    console.log(JSON.stringify({
      known: runtimeInfo().executionProviders,
      opened: first.executionProviders ?? first,
      y: first.run && [...first.run({ x }).y.data],
      place: first.run && new IoBinding(first).bindInput('x', x).bindOutput('y', 'device').run().y.location,
      expected: [...open('cpu').run({ x }).y.data],
      ninth: attempt(() => open({ name: '${name}', device_id: 9 })),
      npu: attempt(() => open({ name: '${name}', deviceType: 'npu' })),
    }));`;
  const { known, opened, y, place, expected, ninth, npu } = printed({ [name]: file }, outcome);
  const hasDevice = Array.isArray(opened);

  test('is known by its name', () => {
    expect(known[0]).toBe(name);
    expect(known).toContain('cpu');
  });

  test.runIf(hasDevice)('computes what the CPU computes', () => {
    expect(opened).toEqual([name, 'cpu']);
    // Some compute with fewer bits.
    expect(y.map((value: number) => Math.round(value * 50))).toEqual(
      expected.map((value: number) => Math.round(value * 50)),
    );
    expect(place).toBe('cpu');
  });

  test.runIf(!hasDevice)('says that it finds no device', () => {
    expect(opened).toEqual({
      code: 'provider_unavailable',
      path: 'executionProviders',
      message: `The execution provider "${name}" finds no device on this machine.`,
    });
  });

  test('says which devices there are where another is asked for', () => {
    const refusal = { code: 'provider_unavailable', path: 'executionProviders' };
    expect(ninth).toMatchObject(refusal);
    expect(ninth.message).toContain(`"${name}" finds no device 9 on this machine`);
    if (hasDevice) expect(ninth.message).toMatch(/; it finds these: (cpu|gpu|npu)/);
    if (!/: .*npu/.test(ninth.message)) expect(npu).toMatchObject(refusal);
  });

  test.runIf(hasDevice)('serves requests', async () => {
    const plugins = await pluginFolder([], {
      classifier: {
        model: softmaxClassifier(),
        config: `serving: {executionProviders: [${name}]}`,
      },
    });
    const env = { CLOUDEASYML_ONNX_RUNTIME_PROVIDER_LIBRARIES: `${name}=${file}` };
    const server = await ServerProcess.start({ plugins: [plugins], env });
    const deployment = await server.admin.deploy('classifier');
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => server.admin.predicted(deployment, [[1, 2, 3, 4]])),
    );
    for (const { predictions } of answers) {
      expect((predictions as number[][])[0]!.map((value) => Math.round(value * 50))).toEqual(
        expected.map((value: number) => Math.round(value * 50)),
      );
    }
    expect(await server.stop()).toBe(0);
  });
});

/** A library of this process, which is no execution provider. */
function cLibrary(): string {
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] };
  return sharedObjects.find((file) => /\/libc[.-]/.test(file))!;
}
