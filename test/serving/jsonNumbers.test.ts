import { GraphBuilder } from 'cloudeasyml/onnx';
import { beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { Random } from '../support/random.js';
import { ServerProcess } from '../support/serverProcess.js';

const types = ['float64', 'float32', 'uint8', 'int32', 'uint64'] as const;
type Type = (typeof types)[number];

const right = ['0', '7', '10', '255', '12345678', '99999999', '123456789', '4503599627370497'];
const signed = ['-1', '-0', '-12345678', '-123456789'];
const fractions = ['0.5', '-0.25', '1e3', '12.5e-1', '0.1', '3.0', '1234567.5', '1E+2'];
const wrong = [
  '007',
  '00',
  '01',
  '1.',
  '.5',
  '+1',
  '12a',
  '1 2',
  '1e',
  '--1',
  '0x10',
  '1_0',
  '12:',
  '9/',
];

let client: HttpClient;
const deployments = new Map<Type, string>();

beforeAll(async () => {
  const models = types.map((type) => {
    const graph = new GraphBuilder(type);
    const x = graph.input('x', type, ['batch', 'length']);
    graph.node('Identity', [x], { outputs: ['y'] });
    graph.output('y', type, ['batch', 'length']);
    return [type, { model: graph.toModel() }] as const;
  });
  const plugins = await pluginFolder([], Object.fromEntries(models));
  const server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
  client = await server.user('ada');
  for (const type of types) deployments.set(type, await client.deploy(type));
});

/** @param data JSON text */
async function ask(type: Type, data: string) {
  const body = `{"deploymentId":"${deployments.get(type)}","data":${data}}`;
  return client.send('POST', '/predict', { body });
}

/** @param texts of numbers, in one row */
async function echoOf(type: Type, texts: readonly string[]) {
  const { json, status, text } = await ask(type, `[[${texts.join(',')}]]`);
  expect(status, text).toBe(200);
  return (json as { predictions: number[][] }).predictions[0];
}

describe('a number of a request', () => {
  it('arrives as JSON means it, however it is written', async () => {
    const texts = [...right, ...signed, ...fractions];
    expect(await echoOf('float64', texts)).toEqual(texts.map(Number));
    // Answers have no more digits than a float32 needs.
    const narrowed = (await echoOf('float32', texts))?.map(Math.fround);
    expect(narrowed).toEqual(texts.map((text) => Math.fround(Number(text))));
    expect(await echoOf('uint64', right)).toEqual(right.map(Number));
    // Whole numbers know no -0.
    const narrow = [...right.slice(0, 7), ...signed];
    expect(await echoOf('int32', narrow)).toEqual(narrow.map((text) => Number(text) + 0));
    expect(await echoOf('uint8', ['0', '9', '10', '99', '100', '255'])).toEqual([
      0, 9, 10, 99, 100, 255,
    ]);
  });

  it('does so at random, with blanks around it', async () => {
    const random = new Random(5);
    const texts = Array.from({ length: 5000 }, () => {
      const digits = String(random.below(10 ** (1 + random.below(9))));
      const blank = () => random.pick(['', '', '', ' ', '\n', '\t ']);
      return `${blank()}${random.pick(['', '', '-'])}${digits}${random.pick(['', '', '', '.5'])}${blank()}`;
    });
    expect(await echoOf('float64', texts)).toEqual(texts.map(Number));
  });

  it.each(types)('is refused where it is no JSON, as %s', async (type) => {
    for (const text of wrong) {
      for (const row of [`[[${text}]]`, `[[1,${text},2]]`]) {
        const { json } = await ask(type, row);
        expect(json, row).toMatchObject({ status: 400, code: 'malformed_json' });
      }
    }
  });

  it('is refused beyond its type’s range', async () => {
    for (const [type, text] of [
      ['uint8', '256'],
      ['uint8', '12345678'],
      ['int32', '2147483648'],
      ['uint64', '-1'],
    ] as const) {
      const { json } = await ask(type, `[[1,${text}]]`);
      expect(json, text).toMatchObject({ code: 'invalid_input', path: 'data[0][1]' });
    }
  });
});
