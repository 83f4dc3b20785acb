import { beforeEach, describe, expect, it } from 'vitest';
import { KeyRing } from '../../dist/auth/keyRing.js';
import type { Principal } from '../../dist/auth/principal.js';
import { openStore } from '../../dist/store/database.js';
import { KeyStore } from '../../dist/store/keyStore.js';
import { createLogger } from '../../dist/telemetry/logger.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

let keys: KeyRing;
let admin: Principal;
let ended: string[];

beforeEach(() => {
  const logger = createLogger('silent');
  keys = new KeyRing(new KeyStore(openStore(temporaryFolder(), logger)), logger);
  admin = keys.authenticate(`Bearer ${keys.bootstrap(undefined)}`);
  ended = [];
  keys.onEnded((principal) => {
    expect(principal.expiresAt).toBe(0);
    ended.push(principal.keyId);
  });
});

/** A key in use. */
function use(expiresInDays?: number): Principal {
  const { key } = keys.issue(admin, { name: 'test', expiresInDays });
  return keys.authenticate(`Bearer ${key}`);
}

describe('a key that is in use', () => {
  it('tells of its end when it is revoked or replaced', () => {
    const [one, other] = [use(), use()];
    keys.revoke(admin, one.keyId);
    expect(ended).toEqual([one.keyId]);
    keys.bootstrap('a-new-admin-key');
    expect(ended).toEqual([one.keyId, 'bootstrap']);
    expect(other.expiresAt).toBe(Number.POSITIVE_INFINITY);
  });

  it('tells of its end when it expires, each at its own time', async () => {
    const dayMs = 86_400_000;
    const later = use(400 / dayMs);
    const sooner = use(100 / dayMs);
    use();
    use(30);
    await expect.poll(() => ended).toEqual([sooner.keyId]);
    await expect.poll(() => ended).toEqual([sooner.keyId, later.keyId]);
  });
});

describe('a key with the permission "keys"', () => {
  it('removes none that may do more than it', () => {
    const make = (permissions: ('predict' | 'deploy' | 'keys')[]) => {
      const { key, record } = keys.issue(admin, { name: 'test', userId: 'ada', permissions });
      return { principal: keys.authenticate(`Bearer ${key}`), keyId: record.keyId };
    };
    const weak = make(['keys']);
    const strong = make(['keys', 'deploy']);
    expect(() => keys.revoke(weak.principal, strong.keyId)).toThrowError(/"deploy"/);
    keys.revoke(strong.principal, weak.keyId);
    keys.revoke(strong.principal, strong.keyId);
    expect(ended).toEqual([weak.keyId, strong.keyId]);
  });
});
