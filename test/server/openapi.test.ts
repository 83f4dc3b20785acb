import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { errorTable } from '../../dist/errors.js';
import * as contract from '../../dist/server/contract.js';
import type { OpenApiDocument } from '../../dist/server/openapi.js';
import { ControlPlane } from './support/controlPlane.js';

let plane: ControlPlane;
let document: OpenApiDocument;
beforeAll(async () => {
  plane = await ControlPlane.start();
  document = (await plane.call('GET', '/openapi.json')).json;
});
afterAll(() => plane.stop());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

describe('/openapi.json', () => {
  it('has no reference that leads nowhere', () => {
    expect(document.openapi).toBe('3.1.0');
    const names = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, at]) => at);
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) {
      expect(name).toMatch(/^#\/components\/schemas\//);
      expect(document.components.schemas).toHaveProperty([String(name).split('/')[3] ?? '']);
    }
  });

  it('names only management routes that exist, and whether they want a key', async () => {
    for (const { path, method, operation } of operations()) {
      if (path.startsWith('/predict')) continue;
      const route = path.replace(/\{\w+\}/, 'none');
      const { status } = await plane.call(method.toUpperCase(), route);
      expect({ path, method, status }).toEqual({
        path,
        method,
        status: operation.security.length > 0 ? 401 : 200,
      });
    }
  });

  it('tells which routes answer with events', () => {
    const withEvents = operations().filter(
      ({ operation }) => operation.responses[200]?.content['text/event-stream'],
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
      const parameters = document.paths[path]?.post?.parameters;
      for (const [name, schema] of [
        ['x-priority', priority],
        ['x-timeout-ms', timeout],
      ]) {
        const header = { name, in: 'header', required: false, schema };
        expect(parameters).toContainEqual(expect.objectContaining(header));
      }
    }
    for (const name of ['PredictRequest', 'PredictToRequest']) {
      expect(document.components.schemas[name]).toMatchObject({
        properties: { priority, timeoutMs: timeout },
        required: expect.not.arrayContaining(['priority', 'timeoutMs']),
      });
    }
  });

  it('tells the methods that each route has', async () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      if (path.startsWith('/predict')) continue;
      const { headers } = await plane.call('PATCH', path.replace(/\{\w+\}/, 'none'));
      const known = headers.get('allow')?.toLowerCase().split(', ').sort();
      expect(known).toEqual(Object.keys(methods).sort());
    }
  });

  it('describes the answers that the server gives', async () => {
    const key = await plane.makeKey();
    const body = { modelName: 'doubler' };
    plane.usage.counterFor('ada', 'd', 'doubler').requests = 1;
    const made = await plane.call('POST', '/deployments', { key, body });
    const child = await plane.call('POST', '/api-keys', { key, body: { name: 'child' } });
    const one = `/deployments/${made.json.deployment.deploymentId}`;
    const ask = (method: string, route: string) => plane.call(method, route, { key });
    const cases: [z.ZodType, unknown][] = [
      [contract.deploymentCreated, made.json],
      [contract.keyCreated, child.json],
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
    const { text, headers, status } = await plane.call('GET', '/docs');
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
