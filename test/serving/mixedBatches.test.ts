import { beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import {
  addingPairs,
  countingUp,
  doublingFours,
  knownWords,
  scaling,
  wordIndex,
} from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';

const requestCount = 1000;

/** A request, and what its answer must say; undefined where only the model knows. */
interface Request {
  deploymentId: string;
  /** JSON text: some numbers are too large for JavaScript's. */
  data: string;
  options?: Record<string, unknown>;
  predictions?: string;
}

/** Makes the request number `seed` of one kind. Its numbers come from the seed, so no two are alike. */
type Maker = (seed: number) => Omit<Request, 'deploymentId'>;

const rowsOf = <Row>(seed: number, most: number, row: (index: number) => Row): Row[] =>
  Array.from({ length: 1 + (seed % most) }, (_, index) => row(index));

/** Rows of whole numbers, whose float32 sums are exact in any order. */
const wholeRows = (seed: number, most: number, width: number) =>
  rowsOf(seed, most, (row) => Array.from({ length: width }, (_, i) => seed * 8 + row * 3 + i));

const adding: Maker = (seed) => {
  const length = 1 + (seed % 4);
  const a = wholeRows(seed, 21, length);
  const b = a.map((row) => row.map((value) => value % 5));
  const sum = a.map((row, i) => row.map((value, j) => value + b[i]![j]!));
  const total = sum.map((row) => row.reduce((left, right) => left + right));
  const outputs = [undefined, ['sum'], ['total'], ['total', 'sum']][
    seed % 4 === 0 ? seed % 3 : seed % 4
  ];
  const all: Record<string, unknown> = { sum, total };
  const predictions = Object.fromEntries(
    (outputs ?? ['sum', 'total']).map((name) => [name, all[name]]),
  );
  return {
    data: JSON.stringify(seed % 2 === 0 ? { a, b } : { b, a }),
    options: outputs && { outputs, id: seed },
    predictions: JSON.stringify(predictions),
  };
};

const scalingRows: Maker = (seed) => {
  const x = wholeRows(seed, 9, 2);
  // Few factors: some requests can share a run, others can't.
  const factor = (seed % 3) + 0.5;
  return {
    data: JSON.stringify({ x, factor }),
    predictions: JSON.stringify(x.map((row) => row.map((value) => value * factor))),
  };
};

const indexing: Maker = (seed) => {
  const width = 1 + (seed % 2);
  const words = rowsOf(seed, 6, (row) =>
    Array.from({ length: width }, (_, i) =>
      (seed + row) % 3 === 0
        ? `"${seed}\\\n\u0001é 😀`
        : knownWords[(seed + row + i) % knownWords.length]!,
    ),
  );
  const index = words.map((row) => row.map((word) => knownWords.indexOf(word)));
  return { data: JSON.stringify(words), predictions: JSON.stringify({ echo: words, index }) };
};

const counting: Maker = (seed) => {
  const rows = rowsOf(seed, 12, (row) => [
    2n ** 53n + BigInt(seed * 100 + row),
    -(2n ** 63n) + BigInt(seed * 7 + row),
  ]);
  const text = (by: bigint) =>
    `[${rows.map((row) => `[${row.map((value) => value + by).join(',')}]`).join(',')}]`;
  return { data: text(0n), predictions: text(1n) };
};

const doubling: Maker = (seed) => {
  const x = wholeRows(seed, 11, 3);
  return {
    data: JSON.stringify(x),
    predictions: JSON.stringify(x.map((row) => row.map((value) => value * 2))),
  };
};

const flowers: Maker = (seed) => ({
  data: JSON.stringify(
    rowsOf(seed, 40, (row) =>
      [5.1, 3.5, 1.4, 0.2].map((size, i) => size + ((seed * 31 + row * 7 + i) % 100) / 25),
    ),
  ),
  options: seed % 5 === 0 ? { outputs: ['label'] } : undefined,
});

const sentiments: Maker = (seed) => ({
  data: JSON.stringify(
    rowsOf(
      seed,
      5,
      (row) => `Request ${seed} is ${row % 2 ? 'a wonderful joy' : 'an awful failure'}.`,
    ),
  ),
  options: seed % 3 === 0 ? { topK: 2 } : undefined,
});

const echoing: Maker = (seed) => {
  const data = rowsOf(seed, 7, (row) => ({ id: `${seed}/${row}`, 'ключ "\\': [row, null, 0.1] }));
  return {
    data: JSON.stringify(data),
    options: { seed, later: seed % 2 === 0 },
    predictions: JSON.stringify(data),
  };
};

const withoutTime = (text: string) => text.replace(/,"processingTimeMs":[\d.e+-]+\}$/, '}');

let client: HttpClient;
let requests: Request[];
let answersAlone: string[];

const bodyOf = ({ deploymentId, data, options }: Request) =>
  `{"deploymentId":"${deploymentId}","data":${data}${options ? `,"options":${JSON.stringify(options)}` : ''}}`;

async function ask(request: Request, byPath: boolean): Promise<string> {
  const body = bodyOf(request);
  const answer = byPath
    ? await client.send('POST', `/predict/${request.deploymentId}`, { body })
    : await client.send('POST', '/predict', { body });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.text).toMatch(/"processingTimeMs":[\d.]+\}$/);
  return withoutTime(answer.text);
}

beforeAll(async () => {
  const plugins = await pluginFolder(
    ['irisClassification', 'sentimentAnalysis', 'echo', 'echoEach'],
    {
      addingPairs: { model: addingPairs(), config: 'serving: {maxBatchSize: 8}' },
      scaling: { model: scaling() },
      wordIndex: { model: wordIndex() },
      countingUp: { model: countingUp() },
      doublingFours: { model: doublingFours(), config: 'serving: {batchAxis: fixed}' },
    },
  );
  const server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
  client = await server.user('ada');
  const kinds: { maker: Maker; deploymentId: string }[] = [];
  const serve = async (modelName: string, maker: Maker, serving = {}) => {
    kinds.push({ maker, deploymentId: await client.deploy(modelName, { serving }) });
  };
  await serve('addingPairs', adding);
  await serve('addingPairs', adding, { maxBatchSize: 3, maxQueueDelayUs: 2000 });
  await serve('scaling', scalingRows);
  await serve('wordIndex', indexing, { maxQueueDelayUs: 500 });
  await serve('countingUp', counting, { maxBatchSize: 5 });
  await serve('doublingFours', doubling);
  await serve('irisClassification', flowers, { maxBatchSize: 16 });
  await serve('sentimentAnalysis', sentiments, { maxQueueDelayUs: 1000 });
  await serve('echo', echoing, { maxBatchSize: 10, maxQueueDelayUs: 3000 });
  await serve('echoEach', echoing, { maxBatchSize: 4 });
  requests = Array.from({ length: requestCount }, (_, seed) => {
    const { maker, deploymentId } = kinds[seed % kinds.length]!;
    return { deploymentId, ...maker(seed) };
  });
  answersAlone = [];
  for (const request of requests) answersAlone.push(await ask(request, false));
});

describe('1,000 mixed requests', () => {
  it('are each answered rightly, alone', () => {
    for (const [i, { predictions }] of requests.entries()) {
      if (predictions === undefined) continue;
      expect(answersAlone[i]).toContain(`{"predictions":${predictions},"metadata":`);
    }
    const echoes = requests.flatMap(({ options }, i) => (options?.seed === undefined ? [] : [i]));
    for (const i of echoes) {
      expect(JSON.parse(answersAlone[i]!).metadata.options).toEqual(requests[i]!.options);
    }
    expect(echoes.length).toBe(requestCount / 5);
  });

  it('get byte for byte the same answers when they all come at once', async () => {
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(
        requests.map((request, i) => ask(request, (i + round) % 2 === 0)),
      );
      for (const [i, answer] of answers.entries()) expect(answer).toBe(answersAlone[i]);
    }
  });

  it('get the same when bad ones come among them', async () => {
    const bad = (request: Request) =>
      client.send('POST', `/predict/${request.deploymentId}`, {
        body: '{"data": [[1], "x", [null]]}',
      });
    const mixed = await Promise.all(
      requests.map((request, i) =>
        i % 3 === 0 ? bad(request).then(() => undefined) : ask(request, true),
      ),
    );
    for (const [i, answer] of mixed.entries()) {
      if (answer !== undefined) expect(answer).toBe(answersAlone[i]);
    }
  });
});
