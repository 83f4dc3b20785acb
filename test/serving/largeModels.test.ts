import { open, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GraphBuilder } from 'cloudeasyml/onnx';
import { beforeAll, describe, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { isSanitized, ServerProcess } from '../support/serverProcess.js';

const width = 1024;
/** Rows of the table: 2.5 GB of them, more than a protobuf message can hold. */
const tableRows = 640 * 1024;
const tableBytes = tableRows * width * 4;

/** x: [batch, 2] → y = x · weights: [batch, 2]; the weights are in a file. */
function externalProduct(): Uint8Array {
  const graph = new GraphBuilder('externalProduct');
  const x = graph.input('x', 'float32', ['batch', 2]);
  const weights = graph.externalConstant('weights', 'float32', [2, 2], { file: 'weights.bin' });
  graph.node('MatMul', [x, weights], { outputs: ['y'] });
  graph.output('y', 'float32', ['batch', 2]);
  return graph.toModel();
}

/** id: int64 [batch] → that row of a table of 2.5 GB in a file: [batch, width]. */
function hugeTable(): Uint8Array {
  const graph = new GraphBuilder('hugeTable');
  const id = graph.input('id', 'int64', ['batch']);
  const table = graph.externalConstant('table', 'float32', [tableRows, width], {
    file: 'table.bin',
  });
  graph.node('Gather', [table, id], { outputs: ['row'] });
  graph.output('row', 'float32', ['batch', width]);
  return graph.toModel();
}

const bytesOf = (values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

/** Writes the table as a file with holes: only these rows take room on the disk. */
async function writeTable(file: string, rows: Record<number, number>): Promise<void> {
  const table = await open(file, 'w');
  await table.truncate(tableBytes);
  for (const [row, value] of Object.entries(rows)) {
    const bytes = bytesOf(Array(width).fill(value));
    await table.write(bytes, 0, bytes.length, Number(row) * width * 4);
  }
  await table.close();
}

const { bavail, bsize } = await statfs(tmpdir());
const hasRoom = bavail * bsize > 2 * tableBytes;
if (!hasRoom) console.log('Skipped: a model over 2 GB, for which the disk has too little room.');

let server: ServerProcess;
let folder: string;

beforeAll(async () => {
  folder = await pluginFolder([], {
    externalProduct: {
      model: externalProduct(),
      others: { 'weights.bin': bytesOf([1, 2, 3, 4]) },
    },
    missingWeights: { model: externalProduct() },
    hugeTable: { model: hugeTable() },
  });
  server = await ServerProcess.start({ plugins: [folder], workers: 2 });
});

describe('a model with weights in a file of their own', () => {
  it('is joined like any other', async () => {
    const product = await server.admin.deploy('externalProduct', {
      serving: { maxQueueDelayUs: 2000 },
    });
    const { json } = await server.admin.send('GET', `/deployments/${product}`);
    expect(json).toMatchObject({ deployment: { batching: { joined: true, verified: true } } });
    const answers = Array.from({ length: 50 }, async (_, i) => {
      const { predictions } = await server.admin.predicted(product, [[i, 1]]);
      expect(predictions).toEqual([[i + 3, 2 * i + 4]]);
    });
    await Promise.all(answers);
  });

  it('is not deployed without them', async () => {
    const { status, json } = await server.admin.send('POST', '/deployments', {
      json: { modelName: 'missingWeights' },
    });
    expect(status).toBe(500);
    expect(json).toMatchObject({ code: 'model_load_failed' });
  });
});

describe.skipIf(!hasRoom || isSanitized)('a model over 2 GB', () => {
  it('is deployed and gives each of many clients its own rows', async () => {
    const last = tableRows - 1;
    const marks = { 1: 11, 2: 22, [last]: 99 };
    await writeTable(path.join(folder, 'hugeTable/table.bin'), marks);
    const table = await server.admin.deploy('hugeTable', { serving: { maxQueueDelayUs: 2000 } });
    const ids = [[1], [last, 0], [2, 1], [0]];
    const answers = Array.from({ length: 48 }, async (_, i) => {
      const asked = ids[i % ids.length]!;
      const { predictions } = await server.admin.predicted(table, asked);
      const expected = asked.map((id) => Array(width).fill(marks[id] ?? 0));
      expect(predictions).toEqual(expected);
    });
    await Promise.all(answers);
  });
});
