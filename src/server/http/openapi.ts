import { readFileSync } from 'node:fs';
import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
} from 'zod-openapi';
import { type ErrorCode, errorTable } from '../../errors.js';
import { problem } from '../routes/contract.js';
import type { RouteDescription } from './route.js';

/** Errors of every route that wants a key. */
const everyKeyError: readonly ErrorCode[] = [
  'key_missing',
  'key_invalid',
  'forbidden',
  'rate_limited',
  'internal',
];

/** What an operation answers with where the request's `Accept` asks for events. */
const eventContent = {
  'text/event-stream': {
    schema: {
      type: 'string',
      description:
        'Server-sent events, where the request accepts text/event-stream: `prediction`, whose data is {"seq", "predictions", "metadata"}, for each output; then `done`, {"processingTimeMs"}, or `error`, {"code", "detail", "path"?}.',
    },
  },
} as const;

export type OpenApiDocument = ReturnType<typeof createDocument>;

/** The document of `GET /openapi.json` (OpenAPI 3.1), of these routes. */
export function openApiDocument(routes: readonly RouteDescription[]): OpenApiDocument {
  const packageFile = new URL('../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
  const paths: ZodOpenApiPathsObject = {};
  for (const described of routes) {
    const method = described.method.toLowerCase() as 'get';
    paths[described.path] = { ...paths[described.path], [method]: operation(described) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: { title: 'CloudEasyML', version, description: 'Deploy models and predict with them.' },
    paths,
    components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
  });
}

function operation(described: RouteDescription): ZodOpenApiOperationObject {
  const { summary, access, parameters, headers, query, body, otherBodies = [], answer } = described;
  const wants = access === 'anyKey' ? 'any key' : access;
  const mode = answer.events ? ' With "Accept: text/event-stream" it answers with events.' : '';
  return {
    summary,
    security: access === 'public' ? [] : [{ apiKey: [] }],
    ...(access !== 'public' && { description: `Wants: ${wants}.${mode}` }),
    requestParams: {
      ...(parameters && { path: pathSchema(parameters) }),
      ...(headers && { header: headers }),
      ...(query && { query: query as z.ZodObject }),
    },
    ...(body && {
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: body },
          ...Object.fromEntries(otherBodies.map((type) => [type, {}])),
        },
      },
    }),
    responses: responses(described),
  };
}

function pathSchema(parameters: Record<string, string>): z.ZodObject {
  return z.object(
    Object.fromEntries(
      Object.entries(parameters).map(([name, description]) => [
        name,
        z.string().meta({ description }),
      ]),
    ),
  );
}

function responses({ access, answer, errors = [] }: RouteDescription) {
  const codes = new Set([...(access === 'public' ? [] : everyKeyError), ...errors]);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = errorTable[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const failures = [...byStatus].map(([status, codesOfStatus]) => [
    status,
    {
      description: codesOfStatus.join(', '),
      content: { 'application/problem+json': { schema: problem } },
    },
  ]);
  const content = answer.schema && {
    'application/json': { schema: answer.schema },
    ...(answer.events && eventContent),
  };
  return {
    [`${answer.status ?? 200}` as '200']: { description: 'Done', ...(content && { content }) },
    ...Object.fromEntries(failures),
  };
}
