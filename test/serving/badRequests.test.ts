import { beforeAll, describe, expect, it } from 'vitest';
import { errorTable } from '../../dist/errors.js';
import type { Answer, HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { Random } from '../support/random.js';
import { addingPairs, countingUp, scaling, wordIndex } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';
import {
  type BadRequest,
  families,
  type Target,
  type World,
  type WrongData,
} from './badRequestCases.js';

const requestCount = 10_000;
const lanes = 8;
const bodyLimit = 100_000;

const notRows = ['1', '"text"', 'true', 'null', '{}'];

/** Rows with one element or row replaced, and its path. */
function spoil(rows: readonly (readonly unknown[])[], bad: readonly string[], at = 'data') {
  return (random: Random) => {
    const row = random.below(rows.length);
    const column = random.below(rows[0]!.length);
    const text = rows.map((cells) => cells.map((cell) => JSON.stringify(cell)));
    text[row]![column] = random.pick(bad);
    const data = `[${text.map((cells) => `[${cells.join(',')}]`).join(',')}]`;
    return { data, path: `${at}[${row}][${column}]` };
  };
}

const notNumbers = ['"1"', 'true', 'null', '{}', '[]', '[1]', '""', '"NaN"'];
const hugeFloats = ['1e39', '-3.5e38', '1e400', `1${'0'.repeat(400)}`, '-1e9999'];
const flowerRows = [
  [5.1, 3.5, 1.4, 0.2],
  [6.2, 2.9, 4.3, 1.3],
  [7.7, 3.8, 6.7, 2.2],
];

const wrongFlowers: WrongData = (random) => {
  switch (random.below(4)) {
    case 0:
      return { data: random.pick([...notRows, '[]']), path: 'data' };
    case 1:
      return { data: `[[1,2,3,4],${random.pick(notRows)}]`, path: 'data[1]' };
    case 2: {
      const width = random.pick([0, 1, 3, 5, 100]);
      return { data: JSON.stringify([[1, 2, 3, 4], Array(width).fill(0)]), path: 'data[1]' };
    }
    default:
      return spoil(flowerRows, [...notNumbers, ...hugeFloats])(random);
  }
};

const wholeRows = [
  [1, 2],
  [3, 4],
];
const notWhole = [
  '1.5',
  '1e3',
  '9223372036854775808',
  '-9223372036854775809',
  '1e400',
  '"1"',
  'null',
];

const wrongPairs: WrongData = (random) => {
  const cases: [data: string, path: string][] = [
    ['[[1,2]]', 'data[0]'],
    ['5', 'data'],
    ['{}', 'data.a'],
    ['{"a": [[1]]}', 'data.b'],
    ['{"b": [[1]]}', 'data.a'],
    ['{"a": [[1]], "b": [[1]], "c": [[1]]}', 'data'],
    ['{"a": [[1]], "a": [[1]], "b": [[1]]}', 'data.a'],
    ['{"a": [[1]], "b": [[1], [2]]}', 'data.b'],
    ['{"b": [[1]], "a": [[1], [2]]}', 'data.a'],
    ['{"a": [[1, 2], [3]], "b": [[1, 2], [3, 4]]}', 'data.a[1]'],
    ['{"a": [[1, 2], [3, 4]], "b": [[1], [3, 4]]}', 'data.b[1]'],
    ['{"a": [[1]], "b": [["1"]]}', 'data.b[0][0]'],
    ['{"a": [], "b": []}', 'data.a'],
  ];
  const [data, path] = random.pick(cases);
  return { data, path };
};

const wrongScaling: WrongData = (random) => {
  const factor = random.pick(['[2]', '"2"', 'null', '1e39', '{}', 'true']);
  return { data: `{"x": [[1, 2]], "factor": ${factor}}`, path: 'data.factor' };
};

const wrongTexts: WrongData = (random) => {
  if (random.below(2) === 0)
    return { data: random.pick(['1', 'null', 'true', '{}']), path: 'data' };
  const depth = 1 + random.below(2000);
  const bad = random.pick(['1', 'null', '{}', '['.repeat(depth) + ']'.repeat(depth)]);
  return { data: `["good", ${bad}]`, path: 'data[1]' };
};

let server: ServerProcess;
let client: HttpClient;
let world: World;
let targets: Target[];

beforeAll(async () => {
  const plugins = await pluginFolder(['irisClassification', 'sentimentAnalysis', 'echo'], {
    addingPairs: { model: addingPairs() },
    countingUp: { model: countingUp() },
    scaling: { model: scaling() },
    wordIndex: { model: wordIndex() },
  });
  const env = { CLOUDEASYML_BODY_LIMIT: String(bodyLimit), CLOUDEASYML_LOG_LEVEL: 'info' };
  server = await ServerProcess.start({ plugins: [plugins], workers: 2, env });
  client = await server.user('ada');
  const revoked = await server.user('ada');
  const powerless = await server.user('ada', { permissions: ['usage'] });
  const { json } = await server.admin.send('GET', '/api-keys');
  const { apiKeys } = json as { apiKeys: { keyId: string }[] };
  const revokedId = apiKeys.find(({ keyId }) => revoked.key!.includes(keyId))!.keyId;
  expect((await server.admin.send('DELETE', `/api-keys/${revokedId}`)).status).toBe(200);

  const target = async (name: string, data: string, wrongData?: WrongData) => ({
    name,
    deploymentId: await client.deploy(name),
    data,
    wrongData,
  });
  targets = [
    await target('irisClassification', JSON.stringify(flowerRows), wrongFlowers),
    await target('addingPairs', '{"a":[[1,2]],"b":[[3,4]]}', wrongPairs),
    await target('countingUp', '[[9007199254740993,-1]]', spoil(wholeRows, notWhole)),
    await target('scaling', '{"x":[[1,2]],"factor":0.5}', wrongScaling),
    await target('wordIndex', '[["one","two"]]', spoil([['one', 'two']], ['1', 'null', '[]'])),
    await target('sentimentAnalysis', '["good","bad"]', wrongTexts),
    await target('echo', '{"text":"\\u00e9","list":[1,null,"x"]}'),
  ];
  world = {
    targets,
    foreignId: await server.admin.deploy('irisClassification'),
    powerlessKey: powerless.key!,
    revokedKey: revoked.key!,
    bodyLimit,
  };
});

/** What is not a problem document of this code, as text; undefined where all is right. */
function faultOf(answer: Answer, request: BadRequest): string | undefined {
  const { faultPath, otherCode } = request;
  const isOther = otherCode !== undefined && answer.status === errorTable[otherCode].status;
  const code = isOther ? otherCode : request.code;
  const { status, title } = errorTable[code];
  const problem = answer.json as Record<string, unknown>;
  if (answer.status !== status) return `expected ${status} ${code}`;
  if (answer.headers['content-type'] !== 'application/problem+json') return 'no problem document';
  const { detail, requestId, ...fixed } = problem;
  const expected = { type: `/docs#${code}`, title, status, code };
  const path = faultPath === undefined ? {} : { path: faultPath };
  if (JSON.stringify(sorted(fixed)) !== JSON.stringify(sorted({ ...expected, ...path }))) {
    return `expected ${JSON.stringify({ ...expected, ...path })}`;
  }
  if (requestId !== answer.headers['x-request-id']) return 'the request id is not the header’s';
  if (typeof detail !== 'string' || detail.length < 10) return 'there is no detail';
  if (/\bat .*:\d+:\d+|dist\/|node_modules/.test(detail)) return 'the detail shows a stack';
  return undefined;
}

const askWell = (from: HttpClient, { deploymentId, data }: Target) =>
  from.send('POST', `/predict/${deploymentId}`, { body: `{"data": ${data}}` });

/** As text: JavaScript would round the large ones. */
const predictionsOf = ({ text }: Answer) => text.slice(0, text.indexOf('"processingTimeMs"'));

const sorted = (fields: Record<string, unknown>) => Object.entries(fields).sort();

describe('ten thousand bad requests', () => {
  it('each get the right problem document, and the next good request is answered', async () => {
    const goodAnswers = new Map<Target, string>();
    for (const target of targets) {
      goodAnswers.set(target, predictionsOf(await askWell(client, target)));
    }
    const faults: string[] = [];
    const seen = new Map<string, number>();
    const makers = Object.entries(families);
    const lane = async (number: number) => {
      // One connection: what a bad request leaves behind would meet the good one.
      const connection = client.as(client.key, 1);
      const random = new Random(number);
      for (let i = number; i < requestCount; i += lanes) {
        const [kind, make] = makers[i % makers.length]!;
        const bad = make(random, world);
        const { method, path, body, headers } = bad;
        const answer = await connection.send(method, path, { body, headers });
        const fault = faultOf(answer, bad);
        const shown = `${kind}: ${method} ${path} ${String(body).slice(0, 300)}\n→ ${answer.text}`;
        if (fault) faults.push(`${fault}\n${shown}`);
        else seen.set(kind, (seen.get(kind) ?? 0) + 1);

        const target = random.pick(targets);
        const next = await askWell(connection, target);
        if (next.status !== 200 || predictionsOf(next) !== goodAnswers.get(target)) {
          faults.push(`a good request after ${shown}\n→ ${next.status} ${next.text}`);
        }
      }
      connection.close();
    };
    await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
    expect(faults.length, faults.slice(0, 20).join('\n\n')).toBe(0);
    expect([...seen.values()].reduce((sum, count) => sum + count)).toBe(requestCount);
    expect(seen.size).toBe(makers.length);
    expect(server.output).not.toContain('unforeseen');
  }, 120_000);
});
