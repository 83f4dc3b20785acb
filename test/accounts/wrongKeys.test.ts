import { beforeEach, describe, expect, it } from 'vitest';
import { KeyRing } from '../../dist/auth/keyRing.js';
import { WrongKeysError } from '../../dist/auth/wrongKeys.js';
import { openStore } from '../../dist/store/database.js';
import { KeyStore } from '../../dist/store/keyStore.js';
import { createLogger } from '../../dist/telemetry/logger.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const adminKey = 'short-admin-key';

let now: number;
let log: string[];
let keys: KeyRing;

beforeEach(() => {
  now = Date.parse('2026-03-02T12:00:00Z');
  log = [];
  const logger = createLogger('info', { write: (line: string) => void log.push(line) });
  keys = new KeyRing(new KeyStore(openStore(temporaryFolder(), logger)), logger, () => now);
  keys.bootstrap(adminKey);
});

/** What a key from an address is answered with: a code, with the seconds to wait where it must. */
function answer(key: string, address = '10.0.0.1'): string {
  try {
    return keys.authenticate(`Bearer ${key}`, { address }).keyId;
  } catch (error) {
    if (error instanceof WrongKeysError) return `${error.code} ${error.retryAfter}`;
    return (error as { code: string }).code;
  }
}

function fail(times: number, address?: string): void {
  for (let attempt = 0; attempt < times; attempt++) answer(`wrong-${attempt}`, address);
}

describe('wrong keys', () => {
  it('make their address wait after 20 of them, longer each time, up to a minute', () => {
    for (let attempt = 0; attempt < 20; attempt++) expect(answer('wrong')).toBe('key_invalid');
    const waits = [1, 2, 4, 8, 16, 32, 60, 60];
    for (const wait of waits) {
      expect(answer('wrong')).toBe(`rate_limited ${wait}`);
      now += wait * 1000 - 1;
      expect(answer('wrong')).toBe('rate_limited 1');
      now += 1;
      expect(answer('wrong')).toBe('key_invalid');
    }
  });

  it('do not keep valid keys of the same address out', () => {
    const admin = keys.authenticate(`Bearer ${adminKey}`, { address: '10.0.0.1' });
    const { key, record } = keys.issue(admin, { name: 'one' });
    fail(30);
    expect(answer(adminKey)).toBe('bootstrap');
    expect(answer(key)).toBe(record.keyId);
    expect(answer(`${key.slice(0, -1)}_`)).toBe('rate_limited 1');
  });

  it('cannot be mixed with right ones to guess the admin key faster', () => {
    fail(30);
    // It was never seen, so it might be a guess.
    expect(answer(adminKey)).toBe('rate_limited 1');
    now += 1000;
    expect(answer(adminKey)).toBe('bootstrap');
    expect(answer('wrong')).toBe('key_invalid');
    expect(answer('wrong')).toBe('rate_limited 2');
  });

  it('concern their own address, of IPv6 their own network', () => {
    fail(30);
    expect(answer('wrong', '10.0.0.2')).toBe('key_invalid');
    fail(30, '2001:0db8:0000:0001:0000:0000:0000:0001');
    expect(answer('x', '2001:0db8:0000:0001:ffff:0000:0000:0002')).toBe('rate_limited 1');
    expect(answer('x', '2001:0db8:0000:0002:0000:0000:0000:0001')).toBe('key_invalid');
    fail(30, '0000:0000:0000:0000:0000:ffff:0a00:0001');
    expect(answer('x', '0000:0000:0000:0000:0000:ffff:0a00:0002')).toBe('key_invalid');
  });

  it('are forgotten after ten minutes', () => {
    fail(30);
    now += 600_001;
    fail(19);
    expect(answer('wrong')).toBe('key_invalid');
    expect(answer('wrong')).toBe('rate_limited 1');
  });

  it('are logged once for each time to wait, without the keys', () => {
    fail(1000);
    expect(log).toHaveLength(1);
    expect(JSON.parse(log[0]!)).toMatchObject({ address: '10.0.0.1', failures: 20 });
    now += 1000;
    fail(1000);
    expect(log).toHaveLength(2);
    expect(log.join('')).not.toContain('wrong-');
  });

  it('have their address read only when a key is not known', () => {
    const caller = {
      get address(): string {
        throw new Error('the address was read');
      },
    };
    keys.authenticate(`Bearer ${adminKey}`);
    expect(keys.authenticate(`Bearer ${adminKey}`, caller).isAdmin).toBe(true);
  });
});
