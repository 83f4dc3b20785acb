import { z } from 'zod';
import { permissions } from '../../auth/permissions.js';

/**
 * The bodies of the management routes. Requests are checked against these; answers are typed by them;
 * `/openapi.json` shows both.
 */

const timestamp = z.iso.datetime().meta({ description: 'ISO 8601, UTC.' });
const configuration = z.record(z.string(), z.unknown());

export const health = z
  .object({
    status: z.literal('healthy'),
    timestamp,
    modelsLoaded: z.int().meta({ description: 'Deployments that are active.' }),
  })
  .meta({ id: 'Health' });

export const probe = z.object({ status: z.enum(['alive', 'ready']) }).meta({ id: 'Probe' });

export const modelMetadata = z
  .object({
    name: z.string(),
    version: z.string(),
    description: z.string(),
    author: z.string(),
    createdAt: z.string(),
    tags: z.array(z.string()),
    requirements: z.array(z.string()),
    gpuRequired: z.boolean(),
    minMemoryGb: z.number(),
    estimatedCostPerRequest: z.number(),
  })
  .meta({ id: 'ModelMetadata' });

export const modelList = z.object({ models: z.array(modelMetadata) }).meta({ id: 'ModelList' });

export const deploymentRequest = z
  .strictObject({
    modelName: z.string().min(1).max(200),
    modelVersion: z
      .string()
      .min(1)
      .max(100)
      .default('latest')
      .meta({ description: 'A version that GET /models shows, or `latest`.' }),
    config: configuration.default({}).meta({
      description: 'Overrides of the plugin’s config.yaml, its `serving` block included.',
    }),
  })
  .meta({ id: 'DeploymentRequest' });

const batching = z
  .object({
    joined: z.boolean().meta({ description: 'Rows of several requests go into one run.' }),
    verified: z
      .boolean()
      .meta({ description: 'That is certain, by the model’s shapes or by a trial.' }),
    detail: z.string().meta({ description: 'What was decided and why.' }),
  })
  .meta({ description: 'How a model without code is batched, as decided when it was loaded.' });

export const deployment = z
  .object({
    deploymentId: z.string(),
    modelName: z.string(),
    modelVersion: z.string(),
    status: z.enum(['loading', 'active', 'degraded', 'failed', 'draining']).meta({
      description:
        '`degraded`: it serves, but not in every worker. `draining`: it is being removed.',
    }),
    reason: z.string().optional().meta({ description: 'Why it is not active.' }),
    config: configuration,
    endpoint: z.string().meta({ description: 'The path that predictions are sent to.' }),
    createdAt: timestamp,
    batching: batching.optional(),
    error: z.string().optional().meta({ description: 'Why it failed.' }),
  })
  .meta({ id: 'Deployment' });

export const deploymentAnswer = z.object({ deployment }).meta({ id: 'DeploymentAnswer' });
export const deploymentCreated = z
  .object({ deployment, message: z.string() })
  .meta({ id: 'DeploymentCreated' });
export const deploymentList = z
  .object({ deployments: z.array(deployment) })
  .meta({ id: 'DeploymentList' });
export const removed = z.object({ message: z.string() }).meta({ id: 'Removed' });

const permission = z.enum(permissions);

export const keyRequest = z
  .strictObject({
    name: z.string().min(1).max(200).meta({ description: 'For people: what the key is for.' }),
    userId: z
      .string()
      .regex(/^[A-Za-z0-9._@:-]{1,128}$/)
      .optional()
      .meta({
        description: 'Whose key it is; the caller’s own by default, another’s by an admin.',
      }),
    expiresInDays: z.number().positive().max(36_500).optional(),
    rateLimit: z
      .int()
      .min(1)
      .max(1_000_000_000)
      .optional()
      .meta({ description: 'Requests per minute; no limit by default.' }),
    permissions: z
      .array(permission)
      .min(1)
      .max(permissions.length)
      .optional()
      .meta({ description: 'By default all but `admin` that the caller has.' }),
  })
  .meta({ id: 'KeyRequest' });

export const keyMetadata = z
  .object({
    keyId: z.string(),
    userId: z.string(),
    name: z.string(),
    permissions: z.array(permission),
    rateLimit: z.int().nullable(),
    createdAt: timestamp,
    expiresAt: timestamp.nullable(),
  })
  .meta({ id: 'KeyMetadata' });

export const keyCreated = z
  .object({
    apiKey: z.string().meta({ description: 'Shown this once.' }),
    metadata: keyMetadata,
    warning: z.string(),
  })
  .meta({ id: 'KeyCreated' });

export const keyList = z.object({ apiKeys: z.array(keyMetadata) }).meta({ id: 'KeyList' });

const day = z.iso.date().meta({ description: 'YYYY-MM-DD, UTC.' });

export const usageQuery = z.strictObject({
  startDate: day.optional(),
  endDate: day.optional(),
  userId: z.string().min(1).max(128).optional().meta({
    description: 'Whose usage; the caller’s own by default, another’s for an admin.',
  }),
});

export const usageReport = z
  .object({
    userId: z.string(),
    totalCost: z.number(),
    totalRequests: z.int(),
    totalProcessingTimeMs: z.number(),
    byModel: z.record(
      z.string(),
      z.object({
        requests: z.int(),
        rows: z.int(),
        errors: z.int(),
        processingTimeMs: z.number(),
        cost: z.number(),
      }),
    ),
    period: z.object({ startDate: day, endDate: day }),
  })
  .meta({ id: 'UsageReport' });

/** The least urgent level of a request; 1 is the most urgent. */
export const lowestPriority = 9;
/** The level of a request that names none. */
export const defaultPriority = 5;
/** The longest time that a request may give itself. */
export const longestTimeoutMs = 2 ** 31 - 1;

export const predictRequest = z
  .object({
    deploymentId: z.string(),
    data: z.unknown().meta({ description: 'What the model predicts from; its plugin says.' }),
    options: configuration.optional(),
    priority: z
      .int()
      .min(1)
      .max(lowestPriority)
      .default(defaultPriority)
      .meta({ description: 'From 1, the most urgent. The header `x-priority` counts before it.' }),
    timeoutMs: z.int().min(1).max(longestTimeoutMs).optional().meta({
      description:
        'Milliseconds from the request’s arrival to its deadline. The header `x-timeout-ms` counts before it.',
    }),
  })
  .meta({ id: 'PredictRequest' });

export const predictToRequest = predictRequest
  .omit({ deploymentId: true })
  .meta({ id: 'PredictToRequest' });

/** The headers of a prediction. The body's members of the same meaning count less. */
export const predictHeaders = z.object({
  'x-priority': z
    .int()
    .min(1)
    .max(lowestPriority)
    .default(defaultPriority)
    .meta({ description: 'From 1, the most urgent, to 9. Counts before `priority` in the body.' }),
  'x-timeout-ms': z.int().min(1).max(longestTimeoutMs).optional().meta({
    description:
      'Milliseconds from the request’s arrival to its deadline, at most the deployment’s timeoutMs. Counts before `timeoutMs` in the body.',
  }),
});

export const predictAnswer = z
  .object({
    predictions: z.unknown(),
    metadata: configuration,
    processingTimeMs: z.number(),
  })
  .meta({ id: 'PredictAnswer' });

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    requestId: z.string(),
    path: z.string().optional().meta({ description: 'Where in the request the fault is.' }),
  })
  .meta({ id: 'Problem' });
