import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { servingTables } from '../../bench/report.mjs';
import { servingTargets } from '../../bench/targets.mjs';
import { sampleResults } from './sampleResults.js';

type Serving = Parameters<typeof servingTables>[0];

const serving = sampleResults.serving as Serving;
const schemaFile = path.resolve(import.meta.dirname, '../../bench/results.schema.json');

describe('a run’s results', () => {
  it('are what the schema describes, and nothing else', () => {
    const schema = z.fromJSONSchema(JSON.parse(readFileSync(schemaFile, 'utf8')));
    expect(schema.safeParse(sampleResults).error).toBeUndefined();
    const extended = { ...sampleResults.serving, more: 1 };
    expect(schema.safeParse({ ...sampleResults, serving: extended }).success).toBe(false);
  });

  it('hold WebSockets to HTTP, and the large network’s JSON and tensors to the C loop', () => {
    const targetsOf = (results: Parameters<typeof servingTargets>[0]) =>
      servingTargets(results).map(({ what, found: figure, verdict }) => [what, figure, verdict]);
    const found = targetsOf(serving);
    const over = '64 in flight over WebSockets: times the req/s over HTTP';
    expect(found).toContainEqual([`4→3 softmax, ${over}`, '2.00×', 'pass']);
    expect(found).toContainEqual([`MLP 784-512-512-10, ${over}`, '1.40×', 'pass']);
    expect(found.filter(([what]) => what!.includes('C loop'))).toEqual([]);
    // The target is the large network's: a small one's batches pass any loop of single rows.
    const loop = serving.closed.find(({ servers }) =>
      servers.some(({ name }) => name === 'cloudeasymlTensors'),
    );
    const closed = [{ ...loop!, model: 'convolution', title: 'ResNet' }];
    const large = targetsOf({ closed, open: [] }).filter(([what]) => what!.includes('C loop'));
    expect(large.map(([what]) => what)).toEqual([
      "ResNet, 64 connections, JSON: of the C loop's runs per second",
      "ResNet, 64 in flight as tensors: of the C loop's runs per second",
    ]);
    expect(large[1]).toEqual([large[1]![0], '0.99×', 'pass']);
  });

  it('without a ratio leave its target unmeasured', () => {
    const [loop] = serving.closed.filter(({ model }) => model === 'softmax');
    const servers = loop!.servers.map(({ httpRatio: _, ...server }) => server);
    const targets = servingTargets({ closed: [{ ...loop!, servers }], open: [] });
    expect(targets.find(({ what }) => what.includes('over WebSockets'))?.verdict).toBe(
      'not measured',
    );
  });
});

describe('the console’s tables', () => {
  const text = servingTables(serving).join('\n\n');
  const lineWith = (start: string) => text.split('\n').find((line) => line.startsWith(start)) ?? '';

  it('show WebSockets beside HTTP and the C loop', () => {
    expect(lineWith('MLP 784-512-512-10, 64 connections')).toMatch(/of HTTP +of the C loop/);
    expect(lineWith('CloudEasyML, WebSocket, tensors')).toContain('0.99× (0.94–1.04)');
  });

  it('split latency as far as the server tells', () => {
    const own = /before send +queue +batch wait +compute +rest +generator late/;
    expect(lineWith('4→3 softmax, CloudEasyML')).toMatch(own);
    expect(lineWith('4→3 softmax, Fastify')).toMatch(/before send +compute +rest +generator late/);
  });

  it('show streams and idle connections', () => {
    expect(lineWith('steps <small>')).toMatch(/1 +50000 +0\.08 +0\.20 +20 %/);
    expect(text).toContain('Not reported: steps <small>, 128 at once: 3 streams failed');
    expect(text).toMatch(/Idle WebSockets: .* with 1000 and .* 4\.00 KB more for each/);
  });
});
