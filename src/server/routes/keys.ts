import type { z } from 'zod';
import type { KeyRecord } from '../../store/keyStore.js';
import { bodyErrors, type Route, route } from '../http/route.js';
import * as contract from './contract.js';
import type { RouteServices } from './services.js';

function toMetadata(record: KeyRecord): z.infer<typeof contract.keyMetadata> {
  return {
    keyId: record.keyId,
    userId: record.userId,
    name: record.name,
    permissions: record.permissions,
    rateLimit: record.rateLimit,
    createdAt: new Date(record.createdAt).toISOString(),
    expiresAt: record.expiresAt === null ? null : new Date(record.expiresAt).toISOString(),
  };
}

/** `/api-keys`: make, list and remove. */
export function keyRoutes({ keys }: RouteServices): Route[] {
  return [
    route({
      method: 'POST',
      path: '/api-keys',
      summary: 'Make an API key',
      access: 'keys',
      body: contract.keyRequest,
      answer: { status: 201, schema: contract.keyCreated },
      errors: [...bodyErrors, 'storage_failed'],
      handle: ({ principal, body: request }) => {
        const { key, record } = keys.issue(principal, request);
        const body: z.infer<typeof contract.keyCreated> = {
          apiKey: key,
          metadata: toMetadata(record),
          warning: 'Keep this key: only its hash is stored, so it cannot be shown again.',
        };
        return { headers: { 'cache-control': 'no-store' }, body };
      },
    }),
    route({
      method: 'GET',
      path: '/api-keys',
      summary: 'The keys of the caller’s user; an admin’s answer holds everyone’s',
      access: 'keys',
      answer: { schema: contract.keyList },
      handle: ({ principal }) => {
        const body: z.infer<typeof contract.keyList> = {
          apiKeys: keys.list(principal).map(toMetadata),
        };
        return { body };
      },
    }),
    route({
      method: 'DELETE',
      path: '/api-keys/{keyId}',
      summary: 'Remove an API key; it is refused from the next request on',
      access: 'keys',
      parameters: { keyId: 'As GET /api-keys shows it.' },
      answer: { schema: contract.removed },
      errors: ['key_not_found', 'storage_failed'],
      handle: ({ principal, parameters: { keyId } }) => {
        keys.revoke(principal, keyId!);
        const message = `The API key ${keyId} is removed.`;
        const body: z.infer<typeof contract.removed> = { message };
        return { body };
      },
    }),
  ];
}
