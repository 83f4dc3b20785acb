import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'libsql';
import { beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../dist/store/database.js';
import { DeploymentStore } from '../../dist/store/deploymentStore.js';
import { KeyStore } from '../../dist/store/keyStore.js';
import { createLogger } from '../../dist/telemetry/logger.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

let log: string[];
beforeEach(() => {
  log = [];
});

const logger = createLogger('info', { write: (line: string) => void log.push(line) });
const open = (folder: string) => openStore(folder, logger);
const modeOf = (file: string) => statSync(file).mode & 0o777;

const record = {
  deploymentId: 'd1',
  userId: 'ada',
  modelName: 'iris',
  modelVersion: '1.0.0',
  config: { serving: { maxBatchSize: 4 }, name: "O'Hara \u{1F600}" },
  createdAt: Date.parse('2026-03-02T12:00:00.123Z'),
  pinned: true,
};

const key = {
  keyId: 'k1',
  userId: 'ada',
  name: 'laptop',
  hash: '0'.repeat(64),
  permissions: ['predict' as const],
  rateLimit: null,
  createdAt: 1,
  expiresAt: null,
};

describe('the store', () => {
  it('makes its folder, and finds what it kept when it is opened again', () => {
    const folder = path.join(temporaryFolder(), 'a', 'b');
    const first = open(folder);
    new DeploymentStore(first).add(record);
    first.close();
    const second = open(folder);
    const deployments = new DeploymentStore(second);
    expect(deployments.list()).toEqual([record]);
    deployments.remove('d1');
    expect(deployments.list()).toEqual([]);
    second.close();
  });

  it('lets nobody else read what it makes, and leaves the mode of what was there', () => {
    const folder = path.join(temporaryFolder(), 'data');
    const store = open(folder);
    new DeploymentStore(store).add(record);
    expect(modeOf(folder)).toBe(0o700);
    for (const end of ['db', 'db-wal', 'lock']) {
      expect(modeOf(path.join(folder, `cloudeasyml.${end}`))).toBe(0o600);
    }
    store.close();
    chmodSync(folder, 0o750);
    open(folder).close();
    expect(modeOf(folder)).toBe(0o750);
  });

  it('has everything in one file once it is closed', () => {
    const folder = temporaryFolder();
    const store = open(folder);
    new DeploymentStore(store).add(record);
    store.close();
    expect(statSync(path.join(folder, 'cloudeasyml.db-wal')).size).toBe(0);
  });

  it('belongs to one server at a time', () => {
    const folder = temporaryFolder();
    const store = open(folder);
    expect(() => open(folder)).toThrowError(/Another server runs on the data folder .*--data/);
    store.close();
    open(folder).close();
  });

  it('refuses a database of a newer server, and says so', () => {
    const folder = temporaryFolder();
    const store = open(folder);
    store.database.exec('PRAGMA user_version = 999');
    store.close();
    expect(() => open(folder)).toThrowError(/schema version 999.*newer server/);
  });

  it('says which file cannot be opened', () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'cloudeasyml.db');
    writeFileSync(file, '');
    expect(() => open(path.join(file, 'below'))).toThrowError(/cannot be opened/);
  });

  it('says what to do about a file that is none of its own', () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'cloudeasyml.db'), 'no database '.repeat(100));
    expect(() => open(folder)).toThrowError(/is damaged: file is not a.*Restore.*or move it away/);
  });

  it('says what to do about a damaged page', () => {
    const folder = temporaryFolder();
    const store = open(folder);
    for (let each = 0; each < 200; each++) {
      new KeyStore(store).put({ ...key, keyId: `k${each}` });
    }
    store.close();
    const file = path.join(folder, 'cloudeasyml.db');
    const bytes = readFileSync(file);
    const pageSize = bytes.readUInt16BE(16);
    // Every page but the first, which holds the schema.
    bytes.fill(0xff, pageSize);
    writeFileSync(file, bytes);
    expect(() => new KeyStore(open(folder)).list()).toThrowError(/is damaged.*or move it away/);
  });

  it('leaves out rows that are not what they should be, and keeps them', () => {
    const folder = temporaryFolder();
    const store = open(folder);
    const keys = new KeyStore(store);
    const deployments = new DeploymentStore(store);
    for (const keyId of ['good', 'bad1', 'bad2']) keys.put({ ...key, keyId });
    for (const deploymentId of ['good', 'bad3']) deployments.add({ ...record, deploymentId });
    store.database.exec(`
      UPDATE api_keys SET permissions = '["predict"' WHERE keyId = 'bad1';
      UPDATE api_keys SET permissions = '["fly"]', hash = 'x' WHERE keyId = 'bad2';
      UPDATE deployments SET config = '[1]' WHERE deploymentId = 'bad3'`);
    expect(keys.list().map(({ keyId }) => keyId)).toEqual(['good']);
    expect(deployments.list().map(({ deploymentId }) => deploymentId)).toEqual(['good']);
    expect(log.map((line) => JSON.parse(line))).toMatchObject([
      { table: 'api_keys', keyId: 'bad1', faults: [expect.stringContaining('permissions')] },
      { table: 'api_keys', keyId: 'bad2', faults: [expect.any(String), expect.any(String)] },
      { table: 'deployments', deploymentId: 'bad3' },
    ]);
    const count = (table: string) =>
      (store.database.prepare(`SELECT count(*) AS count FROM ${table}`).get() as { count: number })
        .count;
    expect([count('api_keys'), count('deployments')]).toEqual([3, 2]);
    store.close();
  });

  it('takes deployments of its first schema for ones of the latest version', () => {
    const folder = temporaryFolder();
    const store = open(folder);
    new DeploymentStore(store).add(record);
    store.database.exec('ALTER TABLE deployments DROP COLUMN pinned; PRAGMA user_version = 1');
    store.close();
    const migrated = open(folder);
    expect(new DeploymentStore(migrated).list()).toEqual([{ ...record, pinned: false }]);
    migrated.close();
  });

  it('can be read by a backup while it is open', () => {
    const folder = temporaryFolder();
    const store = open(folder);
    new KeyStore(store).put(key);
    const reader = new Database(path.join(folder, 'cloudeasyml.db'), { readonly: true });
    expect(reader.prepare('SELECT keyId FROM api_keys').all()).toEqual([{ keyId: 'k1' }]);
    reader.close();
    store.close();
  });
});
