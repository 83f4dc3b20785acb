import type { z } from 'zod';
import type { KeyRecord } from '../store/keyStore.js';
import * as contract from './contract.js';
import type { ManagementServices } from './managementServices.js';
import type { Router } from './router.js';

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
export function registerKeyRoutes(router: Router, { keys }: ManagementServices): void {
  router.handle(
    'POST',
    '/api-keys',
    { access: 'keys', body: contract.keyRequest },
    ({ principal, body: request }) => {
      const { key, record } = keys.issue(principal, request);
      const body: z.infer<typeof contract.keyCreated> = {
        apiKey: key,
        metadata: toMetadata(record),
        warning: 'Keep this key: only its hash is stored, so it cannot be shown again.',
      };
      return { status: 201, headers: { 'cache-control': 'no-store' }, body };
    },
  );

  router.handle('GET', '/api-keys', { access: 'keys' }, ({ principal }) => {
    const body: z.infer<typeof contract.keyList> = {
      apiKeys: keys.list(principal).map(toMetadata),
    };
    return { body };
  });

  router.handle('DELETE', '/api-keys/:keyId', { access: 'keys' }, ({ principal, id }) => {
    keys.revoke(principal, id);
    const body: z.infer<typeof contract.removed> = { message: `The API key ${id} is removed.` };
    return { body };
  });
}
