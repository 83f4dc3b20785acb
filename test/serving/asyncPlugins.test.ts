import { beforeAll, describe, expect, it } from 'vitest';
import { Gate } from '../support/gate.js';
import type { HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';

let client: HttpClient;
let shapes: string;

beforeAll(async () => {
  const plugins = await pluginFolder(['irisClassification', 'echoEach', 'gated', 'shapes']);
  const server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
  client = server.admin;
  shapes = await client.deploy('shapes', { serving: { maxQueueDelayUs: 2000 } });
});

describe('an async plugin', () => {
  it('is never entered twice at once, and each of its requests is answered', async () => {
    const gate = await Gate.start({ isOpen: true });
    const gated = await client.deploy('gated', { gate: gate.url });
    const names = Array.from({ length: 200 }, (_, i) => `request ${i}`);
    const answers = await Promise.all(names.map((name) => client.predicted(gated, name)));
    expect(answers.map(({ predictions }) => predictions)).toEqual(names);
    expect([...gate.arrivals].sort()).toEqual([...names].sort());
  });

  it('serves on every worker at the same time', async () => {
    const gate = await Gate.start();
    const gated = await client.deploy('gated', { gate: gate.url, serving: { maxBatchSize: 1 } });
    const first = client.predicted(gated, 'first');
    await gate.arrived(1);
    const second = client.predicted(gated, 'second');
    await gate.arrived(2);
    gate.openWide();
    const threads = [await first, await second].map(({ metadata }) => metadata.threadId);
    expect(new Set(threads).size).toBe(2);
  });

  it('leaves its worker to other deployments while it waits', async () => {
    const gate = await Gate.start();
    const gated = await client.deploy('gated', { gate: gate.url, serving: { maxBatchSize: 1 } });
    const flowers = await client.deploy('irisClassification');
    const echo = await client.deploy('echoEach');
    const held = ['one', 'two'].map((name) => client.predicted(gated, name));
    await gate.arrived(2);
    for (let i = 0; i < 50; i++) {
      const later = { later: true };
      const { predictions } = await client.predicted(flowers, [[5.1, 3.5, 1.4, 0.2]]);
      expect(predictions).toBeDefined();
      expect((await client.predicted(echo, i)).predictions).toBe(i);
      expect((await client.predicted(echo, i, later)).metadata.options).toEqual(later);
    }
    expect([...gate.arrivals].sort()).toEqual(['one', 'two']);
    gate.openWide();
    await Promise.all(held);
  });
});

describe('what a plugin answers with', () => {
  it.each([
    ['float32', '[0.1,1e-7,-3.4e+38,0,16777216]'],
    ['float64', '[[0.1,1e+300]]'],
    ['uint8', '{"image":{"pixels":[0,255]}}'],
    ['smallBigInts', '[1,[-5,6]]'],
    ['notFinite', '[null,[null]]'],
    ['tensor', '[[0.1,0.2],[0.3,0.4]]'],
    ['int64Tensor', '[[1],[-2]]'],
    ['boolTensor', '[true,false]'],
    ['stringTensor', '{"names":[["a","é"]]}'],
    ['scalarTensor', '2.5'],
  ])('becomes JSON: %s', async (deed, expected) => {
    const { status, text } = await client.predict(shapes, deed);
    expect(status, text).toBe(200);
    expect(text).toContain(`{"predictions":${expected},"metadata":{},"processingTimeMs":`);
  });

  it('keeps every digit of a BigInt', async () => {
    expect((await client.predict(shapes, 'largeBigInt')).text).toContain('9007199254740993');
  });

  it.each(['nothing', 'aFunction', 'aCircle'])(
    'is the plugin’s failure where JSON cannot show it: %s',
    async (deed) => {
      const { status, json } = await client.predict(shapes, deed);
      expect(status).toBe(500);
      expect(json).toMatchObject({ code: 'plugin_failed' });
    },
  );
});

describe('a plugin that throws', () => {
  it.each([
    ['throwError', 500, { code: 'plugin_failed', detail: 'the deed failed' }],
    ['throwText', 500, { code: 'plugin_failed', detail: 'only a text' }],
    ['throwBare', 500, { code: 'plugin_failed' }],
    ['throwInput', 422, { code: 'invalid_input', path: 'data[7].size' }],
    ['throwForeignInput', 422, { code: 'invalid_input', path: 'options.size' }],
  ])('is answered with what it said and no stack: %s', async (deed, status, problem) => {
    for (const options of [{}, { later: true }]) {
      const answer = await client.predict(shapes, deed, options);
      expect(answer.status, answer.text).toBe(status);
      expect(answer.json).toMatchObject(problem);
      expect(answer.text).not.toMatch(/index\.ts|\bat \w|node_modules/);
    }
  });

  it('fails its own request only, wherever it is in its batch', async () => {
    const bad = ['throwError', 'throwInput', 'throwBare', 'nothing'];
    for (const later of [false, true]) {
      const answers = await Promise.all(
        Array.from({ length: 300 }, async (_, i) => {
          const name = i % 7 === 0 ? bad[i % bad.length]! : `request ${i}`;
          return { name, answer: await client.predict(shapes, name, { later }) };
        }),
      );
      for (const { name, answer } of answers) {
        if (bad.includes(name)) expect(answer.status).toBeGreaterThanOrEqual(422);
        else expect(answer.json).toMatchObject({ predictions: name });
      }
    }
  });

  it('is asked one by one where predictBatch does not answer for each', async () => {
    const short = await client.deploy('shapes', { short: true });
    const names = Array.from({ length: 50 }, (_, i) => `request ${i}`);
    const answers = await Promise.all(names.map((name) => client.predict(short, name)));
    for (const [i, { status, json }] of answers.entries()) {
      // Alone in its batch, a request has nobody else to be asked for.
      if (status === 200) expect(json).toMatchObject({ predictions: names[i] });
      else expect(json).toMatchObject({ code: 'plugin_failed' });
    }
  });
});
