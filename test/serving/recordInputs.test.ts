import { beforeAll, describe, expect, it } from 'vitest';
import { awkwardModels } from '../support/awkwardModels.js';
import type { HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { addingPairs, scaling } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';

let client: HttpClient;
let columns: string;
let pairs: string;
let scaled: string;
let unnamed: string;

beforeAll(async () => {
  const plugins = await pluginFolder([], {
    columns: awkwardModels.columns!,
    unnamedAxes: awkwardModels.unnamedAxes!,
    addingPairs: { model: addingPairs() },
    scaling: { model: scaling() },
  });
  const server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
  client = server.admin;
  columns = await client.deploy('columns');
  pairs = await client.deploy('addingPairs');
  scaled = await client.deploy('scaling');
  unnamed = await client.deploy('unnamedAxes');
});

/** @param data JSON text, in which a member may come twice */
const ask = (deploymentId: string, data: string) =>
  client.send('POST', `/predict/${deploymentId}`, { body: `{"data": ${data}}` });

async function predictions(deploymentId: string, data: string): Promise<unknown> {
  const { status, json, text } = await ask(deploymentId, data);
  expect(status, text).toBe(200);
  return (json as { predictions: unknown }).predictions;
}

const expected = [[133], [240], [251]];

describe('a model with a column for each input', () => {
  it('takes records', async () => {
    const records = `[
      {"age": 33, "city": "Bern"},
      {"city": "Thun", "age": 40},
      {"age": [51], "city": ["Thun"]}
    ]`;
    expect(await predictions(columns, records)).toEqual(expected);
  });

  it('takes columns of values, and of rows', async () => {
    const values = '{"age": [33, 40, 51], "city": ["Bern", "Thun", "Thun"]}';
    expect(await predictions(columns, values)).toEqual(expected);
    const rows = '{"city": [["Bern"], ["Thun"], ["Thun"]], "age": [[33], [40], [51]]}';
    expect(await predictions(columns, rows)).toEqual(expected);
    const mixed = '{"city": ["Bern", "Thun", "Thun"], "age": [[33], [40], [51]]}';
    expect(await predictions(columns, mixed)).toEqual(expected);
  });

  it('takes names with escapes and values of every kind', async () => {
    expect(await predictions(columns, '[{"\\u0061ge": 1e1, "city": "Z\\u00fcrich"}]')).toEqual([
      [310],
    ]);
    expect(await predictions(columns, '[{"age": -0.5, "city": ""}]')).toEqual([[-0.5]]);
  });

  it.each([
    ['[{"age": 33, "city": "Bern"}, {"age": 40}]', 'data[1].city'],
    ['[{"city": "Bern"}, {"age": 40, "city": "Thun"}]', 'data[0].age'],
    ['[{}]', 'data[0].age'],
    [
      '[{"age": 1, "city": "a"}, {"age": 1, "city": "a"}, {"age": "1", "city": "a"}]',
      'data[2].age',
    ],
    ['[{"age": 1, "city": 2}]', 'data[0].city'],
    ['[{"age": null, "city": "a"}]', 'data[0].age'],
    ['[{"age": 1, "city": "a"}, {"age": 1, "city": "a", "height": 2}]', 'data[1]'],
    ['[{"age": 1, "city": "a", "age": 2}]', 'data[0].age'],
    ['[{"age": [1, 2], "city": "a"}]', 'data[0].age'],
    ['[{"age": 1e39, "city": "a"}]', 'data[0].age'],
    ['[{"age": 1, "city": "a"}, 5]', 'data[1]'],
    ['[{"age": 1, "city": "a"}, [1, "a"]]', 'data[1]'],
    ['[[1, "a"]]', 'data[0]'],
    ['[]', 'data'],
    ['5', 'data'],
    ['{"age": [1, 2], "city": ["a"]}', 'data.city'],
    ['{"age": [1, "2"], "city": ["a", "b"]}', 'data.age[1]'],
    ['{"age": 1, "city": "a"}', 'data.age'],
  ])('refuses %s', async (data, path) => {
    const { status, json, text } = await ask(columns, data);
    expect(status, text).toBe(422);
    expect(json).toMatchObject({ code: 'invalid_input', path });
  });

  it('says that JSON is broken, wherever in a record', async () => {
    for (const data of [
      '[{"age": 1, "city": "a"},]',
      '[{"age": 1 "city": "a"}]',
      '[{"age": 01}]',
    ]) {
      expect((await ask(columns, data)).json).toMatchObject({ code: 'malformed_json' });
    }
  });
});

describe('records', () => {
  it('may hold whole rows, as long as all of one request have the same length', async () => {
    const records = '[{"a": [1, 2], "b": [3, 4]}, {"b": [5, 6], "a": [7, 8]}]';
    expect(await predictions(pairs, records)).toEqual({
      sum: [
        [4, 6],
        [12, 14],
      ],
      total: [10, 26],
    });
    const ragged = '[{"a": [1, 2], "b": [3, 4]}, {"b": [5, 6], "a": [7]}]';
    expect((await ask(pairs, ragged)).json).toMatchObject({ path: 'data[1].a' });
  });

  it('are refused where an input belongs to the whole request', async () => {
    const { status, json } = await ask(scaled, '[{"x": [1, 2], "factor": 2}]');
    expect({ status, json }).toMatchObject({ status: 422, json: { path: 'data' } });
  });

  it('stand in many requests at once as they do in one', async () => {
    const answers = Array.from({ length: 50 }, async (_, i) => {
      const records = JSON.stringify([
        { age: i, city: 'Bern' },
        { age: i + 1, city: 'nowhere' },
      ]);
      expect(await predictions(columns, records)).toEqual([[i + 100], [i + 1]]);
    });
    await Promise.all(answers);
  });
});

describe('a value that is a row of its own', () => {
  it('is taken only where rows hold one', async () => {
    expect((await ask(unnamed, '[1, 2, 3, 4]')).json).toMatchObject({ path: 'data[0]' });
  });
});
