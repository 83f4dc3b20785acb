import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type ErrorCode, errorTable } from '../errors.js';
import * as contract from './contract.js';

type Json = Record<string, unknown>;

/** One operation, as OpenAPI words it. */
export interface DocumentedOperation {
  summary: string;
  description?: string;
  security: Json[];
  parameters?: Json[];
  requestBody?: Json;
  responses: Record<string, { description: string; content: Json }>;
}

export interface OpenApiDocument {
  openapi: string;
  info: { title: string; version: string; description: string };
  paths: Record<string, Record<string, DocumentedOperation>>;
  components: { securitySchemes: Json; schemas: Json };
}

interface Operation {
  summary: string;
  /** Who may call it; undefined for everyone. */
  access?: string;
  parameters?: Json[];
  request?: string;
  /** The success: its status, and the schema of its body. */
  answer: [status: number, schema: string];
  /** It answers with events, too, where `Accept` asks for them. */
  events?: boolean;
  errors: ErrorCode[];
}

/** The schemas under `components`, by name. */
const requestSchemas = {
  DeploymentRequest: contract.deploymentRequest,
  KeyRequest: contract.keyRequest,
  PredictRequest: contract.predictRequest,
  PredictToRequest: contract.predictRequest.omit({ deploymentId: true }),
};
const answerSchemas = {
  Health: contract.health,
  Probe: contract.probe,
  ModelList: contract.modelList,
  DeploymentCreated: contract.deploymentCreated,
  DeploymentAnswer: contract.deploymentAnswer,
  DeploymentList: contract.deploymentList,
  Removed: contract.removed,
  PredictAnswer: contract.predictAnswer,
  KeyCreated: contract.keyCreated,
  KeyList: contract.keyList,
  UsageReport: contract.usageReport,
  Problem: contract.problem,
};

function parameter(where: 'path' | 'query', name: string, description: string): Json {
  const schema = where === 'path' ? { type: 'string' } : { type: 'string', format: 'date' };
  return { name, in: where, required: where === 'path', description, schema };
}

const deploymentId = parameter('path', 'deploymentId', 'As POST /deployments gave it.');

/** The headers of a prediction. The body's members of the same meaning count less. */
const predictHeaders: Json[] = [
  {
    name: 'x-priority',
    in: 'header',
    required: false,
    description: 'From 1, the most urgent, to 9. Counts before `priority` in the body.',
    schema: {
      type: 'integer',
      minimum: 1,
      maximum: contract.lowestPriority,
      default: contract.defaultPriority,
    },
  },
  {
    name: 'x-timeout-ms',
    in: 'header',
    required: false,
    description:
      'Milliseconds from the request’s arrival to its deadline, at most the deployment’s timeoutMs. Counts before `timeoutMs` in the body.',
    schema: { type: 'integer', minimum: 1, maximum: contract.longestTimeoutMs },
  },
];
const bodyErrors: ErrorCode[] = [
  'malformed_json',
  'request_timeout',
  'body_too_large',
  'unsupported_media_type',
  'invalid_input',
];
const predictErrors: ErrorCode[] = [
  ...bodyErrors,
  'deployment_not_found',
  'plugin_failed',
  'overloaded',
  'starting',
  'deployment_unavailable',
  'worker_lost',
  'deadline_exceeded',
];

/** Every route, in the order of the documentation. */
const paths: Record<string, Record<string, Operation>> = {
  '/health': {
    get: { summary: 'The state of the server', answer: [200, 'Health'], errors: [] },
  },
  '/health/live': {
    get: { summary: 'Whether the process answers', answer: [200, 'Probe'], errors: [] },
  },
  '/health/ready': {
    get: {
      summary: 'Whether predictions can be sent',
      answer: [200, 'Probe'],
      errors: ['starting', 'draining'],
    },
  },
  '/models': {
    get: {
      summary: 'The models that can be deployed',
      access: 'any key',
      answer: [200, 'ModelList'],
      errors: [],
    },
  },
  '/deployments': {
    post: {
      summary: 'Deploy a model; answers once it is loaded or has failed',
      access: 'deploy',
      request: 'DeploymentRequest',
      answer: [201, 'DeploymentCreated'],
      errors: [...bodyErrors, 'model_not_found', 'conflict', 'model_load_failed'],
    },
    get: {
      summary: 'The caller’s deployments; an admin’s answer holds everyone’s',
      access: 'any key',
      answer: [200, 'DeploymentList'],
      errors: [],
    },
  },
  '/deployments/{deploymentId}': {
    get: {
      summary: 'One deployment',
      access: 'any key',
      parameters: [deploymentId],
      answer: [200, 'DeploymentAnswer'],
      errors: ['deployment_not_found'],
    },
    delete: {
      summary: 'Remove a deployment',
      access: 'deploy',
      parameters: [deploymentId],
      answer: [200, 'Removed'],
      errors: ['deployment_not_found'],
    },
  },
  '/predict': {
    post: {
      summary: 'Predict with the deployment that the body names',
      access: 'predict',
      parameters: predictHeaders,
      request: 'PredictRequest',
      answer: [200, 'PredictAnswer'],
      events: true,
      errors: predictErrors,
    },
  },
  '/predict/{deploymentId}': {
    post: {
      summary: 'Predict with the deployment that the path names',
      access: 'predict',
      parameters: [deploymentId, ...predictHeaders],
      request: 'PredictToRequest',
      answer: [200, 'PredictAnswer'],
      events: true,
      errors: predictErrors,
    },
  },
  '/api-keys': {
    post: {
      summary: 'Make an API key',
      access: 'keys',
      request: 'KeyRequest',
      answer: [201, 'KeyCreated'],
      errors: bodyErrors,
    },
    get: {
      summary: 'The keys of the caller’s user; an admin’s answer holds everyone’s',
      access: 'keys',
      answer: [200, 'KeyList'],
      errors: [],
    },
  },
  '/api-keys/{keyId}': {
    delete: {
      summary: 'Remove an API key; it is refused from the next request on',
      access: 'keys',
      parameters: [parameter('path', 'keyId', 'As GET /api-keys shows it.')],
      answer: [200, 'Removed'],
      errors: ['key_not_found'],
    },
  },
  '/usage': {
    get: {
      summary: 'The caller’s usage by model',
      access: 'usage',
      parameters: [
        parameter('query', 'startDate', 'First day, UTC; 29 days before the last by default.'),
        parameter('query', 'endDate', 'Last day, UTC, included; today by default.'),
      ],
      answer: [200, 'UsageReport'],
      errors: ['invalid_input'],
    },
  },
};

function reference(schema: string): Json {
  return { schema: { $ref: `#/components/schemas/${schema}` } };
}

/** What an operation answers with where the request's `Accept` asks for events. */
const eventContent: Json = {
  'text/event-stream': {
    schema: {
      type: 'string',
      description:
        'Server-sent events, where the request accepts text/event-stream: `prediction`, whose data is {"seq", "predictions", "metadata"}, for each output; then `done`, {"processingTimeMs"}, or `error`, {"code", "detail", "path"?}.',
    },
  },
};

function responses(operation: Operation): DocumentedOperation['responses'] {
  const { answer, events, errors, access } = operation;
  const [status, schema] = answer;
  const every: ErrorCode[] = access
    ? ['key_missing', 'key_invalid', 'forbidden', 'rate_limited', ...errors, 'draining', 'internal']
    : errors;
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set(every)) {
    const { status: at } = errorTable[code];
    byStatus.set(at, [...(byStatus.get(at) ?? []), code]);
  }
  const failures = [...byStatus].map(([at, codes]) => [
    at,
    {
      description: codes.join(', '),
      content: { 'application/problem+json': reference('Problem') },
    },
  ]);
  return {
    [status]: {
      description: 'Done',
      content: { 'application/json': reference(schema), ...(events && eventContent) },
    },
    ...Object.fromEntries(failures),
  };
}

function operation(description: Operation): DocumentedOperation {
  const { summary, access, events, parameters, request } = description;
  const mode = events ? ' With "Accept: text/event-stream" it answers with events.' : '';
  return {
    summary,
    security: access ? [{ apiKey: [] }] : [],
    ...(access && { description: `Wants: ${access}.${mode}` }),
    ...(parameters && { parameters }),
    ...(request && {
      requestBody: { required: true, content: { 'application/json': reference(request) } },
    }),
    responses: responses(description),
  };
}

function mapValues<From, To>(
  object: Record<string, From>,
  change: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

/** The document of `GET /openapi.json` (OpenAPI 3.1). */
export function openApiDocument(): OpenApiDocument {
  const packageFile = new URL('../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
  return {
    openapi: '3.1.0',
    info: { title: 'CloudEasyML', version, description: 'Deploy models and predict with them.' },
    paths: mapValues(paths, (methods) => mapValues(methods, operation)),
    components: {
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } },
      schemas: {
        ...mapValues(requestSchemas, (schema) => bare(z.toJSONSchema(schema, { io: 'input' }))),
        ...mapValues(answerSchemas, (schema) => bare(z.toJSONSchema(schema))),
      },
    },
  };
}

function bare({ $schema: _, ...schema }: Json): Json {
  return schema;
}
