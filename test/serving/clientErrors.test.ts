import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../dist/onnx/index.js';
import { adderSource, temporaryFolder } from '../plugin/temporaryFolder.js';
import { identity } from '../support/onnxModels.js';
import { ServerProcess } from '../support/serverProcess.js';

const secret = 'root:x:0:0';
let plugins: string;
let server: ServerProcess;

const broken = (name: string, extra: string) =>
  adderSource({
    name,
    top: `import { readFileSync } from 'node:fs';
      const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'));`,
    extra,
  });

/** Takes rows of any width, and fails where they don't make whole rows of four. */
function rowsOfFour(): Uint8Array {
  const graph = new GraphBuilder('rowsOfFour');
  graph.input('x', 'float32', ['n', 'width']);
  const shape = graph.constant('shape', 'int64', [2], [-1, 4]);
  graph.node('Reshape', ['x', shape], { outputs: ['y'] });
  graph.output('y', 'float32', ['m', 4]);
  return graph.toModel();
}

beforeAll(async () => {
  const elsewhere = await temporaryFolder({ 'secret.txt': secret });
  const read = `read(${JSON.stringify(path.join(elsewhere, 'secret.txt'))})`;
  plugins = await temporaryFolder({
    'noModel/model.onnx': secret,
    'emptyModel/model.onnx': '',
    'passing/model.onnx': identity('float32', ['n', 2]),
    'rowsOfFour/model.onnx': rowsOfFour(),
    'missingFile/index.ts': broken(
      'missingFile',
      `override load() { read(import.meta.dirname + '/a/b.json'); }`,
    ),
    'otherFile/index.ts': broken('otherFile', `override load() { ${read}; }`),
    'failing/index.ts': broken('failing', `override predict(): never { return ${read}; }`),
    'absent/index.ts': broken(
      'absent',
      `override predict(): never { return read('/none/of it.txt'); }`,
    ),
  });
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
});

const detailOf = async (modelName: string) => {
  const { json } = await server.admin.send('POST', '/deployments', { json: { modelName } });
  return (json as { detail: string }).detail;
};

describe('an error that a client gets', () => {
  it('of a deployment names no file of the server’s but those of its plugin', async () => {
    expect(await detailOf('noModel')).toBe(
      'The model "model.onnx" did not load: Load model from model.onnx failed:Protobuf parsing failed.',
    );
    expect(await detailOf('emptyModel')).toMatch(/failed:ModelProto does not have a graph\.$/);
    expect(await detailOf('missingFile')).toMatch(
      /^Error: ENOENT: no such file or directory, open 'a\/b\.json' \(index\.ts:\d+:\d+\)$/,
    );
  });

  it('shows nothing of what a file holds, which the log does', async () => {
    expect(await detailOf('otherFile')).toMatch(
      /^SyntaxError: what was read is not valid JSON \(index\.ts:\d+:\d+\)$/,
    );
    await expect.poll(() => server.output).toContain(secret);
  });

  it('of a prediction is like that, too', async () => {
    const failing = await server.admin.deploy('failing');
    const { status, json } = await server.admin.predict(failing, 1);
    expect(status).toBe(500);
    expect(json).toMatchObject({ detail: 'what was read is not valid JSON' });
    const absent = await server.admin.predict(await server.admin.deploy('absent'), 1);
    expect(absent.json).toMatchObject({
      detail: "ENOENT: no such file or directory, open '[server path]'",
    });
  });

  it('of a run names no places in ONNX Runtime’s source', async () => {
    const deploymentId = await server.admin.deploy('rowsOfFour');
    const { status, json } = await server.admin.predict(deploymentId, [[1, 2, 3]]);
    expect(status).toBe(500);
    expect(json).toMatchObject({
      code: 'runtime_failed',
      detail: expect.stringContaining('cannot be reshaped'),
    });
    expect((json as { detail: string }).detail).not.toMatch(/onnxruntime|::|\.h:/);
  });

  it('of a stored deployment that does not come up is like that, too', async () => {
    const data = await temporaryFolder();
    const before = await ServerProcess.start({ plugins: [plugins], workers: 1, data });
    await before.admin.deploy('passing');
    await before.stop();
    await writeFile(path.join(plugins, 'passing', 'model.onnx'), secret);
    const after = await ServerProcess.start({ plugins: [plugins], workers: 1, data });
    const { json } = await after.admin.send('GET', '/deployments');
    expect(json).toMatchObject({
      deployments: [
        { status: 'failed', error: expect.stringMatching(/^The model "model\.onnx" did not load/) },
      ],
    });
    await expect.poll(() => after.output).toContain(path.join(plugins, 'passing'));
    await after.stop();
    await rm(data, { recursive: true });
  });
});
