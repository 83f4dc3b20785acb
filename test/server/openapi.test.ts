import { beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { oas31 } from 'zod-openapi';
import { errorTable } from '../../dist/errors.js';
import * as contract from '../../dist/server/routes/contract.js';
import { LocalServer } from './support/localServer.js';

let server: LocalServer;
let paths: Record<string, Record<string, oas31.OperationObject>>;
let schemas: Record<string, unknown>;
beforeAll(async () => {
  server = await LocalServer.start();
  const { json } = await server.call('GET', '/openapi.json');
  expect(json.openapi).toBe('3.1.0');
  paths = json.paths;
  schemas = json.components.schemas;
});

const operations = () =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

describe('/openapi.json', () => {
  it('has no reference that leads nowhere', () => {
    const text = JSON.stringify({ paths, schemas });
    const names = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, at]) => at);
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) {
      expect(name).toMatch(/^#\/components\/schemas\//);
      expect(schemas).toHaveProperty([String(name).split('/')[3] ?? '']);
    }
  });

  it('names only management routes that exist, and whether they want a key', async () => {
    for (const { path, method, operation } of operations()) {
      if (path.startsWith('/predict')) continue;
      const route = path.replace(/\{\w+\}/, 'none');
      const { status } = await server.call(method.toUpperCase(), route);
      expect({ path, method, status }).toEqual({
        path,
        method,
        status: operation.security!.length > 0 ? 401 : 200,
      });
    }
  });

  it('tells which routes answer with events', () => {
    const withEvents = operations().filter(
      ({ operation }) =>
        (operation.responses?.['200'] as oas31.ResponseObject)?.content?.['text/event-stream'],
    );
    expect(withEvents.map(({ path, method }) => `${method} ${path}`)).toEqual([
      'post /predict',
      'post /predict/{deploymentId}',
    ]);
  });

  it('tells how a prediction says its priority and its timeout', () => {
    const priority = expect.objectContaining({ type: 'integer', minimum: 1, maximum: 9 });
    const timeout = expect.objectContaining({ type: 'integer', minimum: 1 });
    for (const path of ['/predict', '/predict/{deploymentId}']) {
      const parameters = paths[path]?.post?.parameters;
      for (const [name, schema] of [
        ['x-priority', priority],
        ['x-timeout-ms', timeout],
      ]) {
        const header = { name, in: 'header', schema };
        expect(parameters).toContainEqual(expect.objectContaining(header));
        expect(parameters).not.toContainEqual(expect.objectContaining({ name, required: true }));
      }
    }
    for (const name of ['PredictRequest', 'PredictToRequest']) {
      expect(schemas[name]).toMatchObject({
        properties: { priority, timeoutMs: timeout },
        required: expect.not.arrayContaining(['priority', 'timeoutMs']),
      });
    }
  });

  it('tells the methods that each route has', async () => {
    for (const [path, methods] of Object.entries(paths)) {
      if (path.startsWith('/predict')) continue;
      const { headers } = await server.call('PATCH', path.replace(/\{\w+\}/, 'none'));
      const known = headers.get('allow')?.toLowerCase().split(', ').sort();
      const implied = 'get' in methods ? ['head'] : [];
      expect(known).toEqual([...Object.keys(methods), ...implied].sort());
    }
  });

  it('describes the answers that the server gives', async () => {
    const key = await server.makeKey();
    const body = { modelName: 'doubler' };
    const made = await server.call('POST', '/deployments', { key, body });
    const predicted = await server.predict(key, made.json.deployment.deploymentId, [1]);
    const child = await server.call('POST', '/api-keys', { key, body: { name: 'child' } });
    const one = `/deployments/${made.json.deployment.deploymentId}`;
    const ask = (method: string, route: string) => server.call(method, route, { key });
    const cases: [z.ZodType, unknown][] = [
      [contract.deploymentCreated, made.json],
      [contract.keyCreated, child.json],
      [contract.predictAnswer, predicted.json],
      [contract.health, (await ask('GET', '/health')).json],
      [contract.probe, (await ask('GET', '/health/ready')).json],
      [contract.modelList, (await ask('GET', '/models')).json],
      [contract.deploymentList, (await ask('GET', '/deployments')).json],
      [contract.deploymentAnswer, (await ask('GET', one)).json],
      [contract.removed, (await ask('DELETE', one)).json],
      [contract.keyList, (await ask('GET', '/api-keys')).json],
      [contract.usageReport, (await ask('GET', '/usage')).json],
      [contract.problem, (await ask('GET', one)).json],
    ];
    // Parsing drops what the schema does not know, so equality means that it knows everything.
    for (const [schema, answer] of cases) expect(schema.parse(answer)).toEqual(answer);
  });
});

describe('/docs', () => {
  it('is one page that needs nothing else, and explains every error code', async () => {
    const { text, headers, status } = await server.call('GET', '/docs');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('text/html');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(text).not.toMatch(/<script|<link|src=|https?:/);
    for (const code of Object.keys(errorTable)) expect(text).toContain(`id="${code}"`);
    for (const { path, method } of operations()) {
      expect(text).toContain(`<code>${method.toUpperCase()} ${path}</code>`);
    }
    for (const [, anchor] of text.matchAll(/href="#([^"]+)"/g)) {
      expect(text).toContain(`id="${anchor}"`);
    }
  });
});
