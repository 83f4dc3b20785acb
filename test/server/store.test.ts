import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../dist/store/database.js';
import { DeploymentStore } from '../../dist/store/deploymentStore.js';
import { temporaryFolder } from './support/controlPlane.js';

describe('the store', () => {
  it('makes its folder, and finds what it kept when it is opened again', () => {
    const folder = path.join(temporaryFolder(), 'a', 'b');
    const record = {
      deploymentId: 'd1',
      userId: 'ada',
      modelName: 'iris',
      modelVersion: '1.0.0',
      config: { serving: { maxBatchSize: 4 }, name: "O'Hara \u{1F600}" },
      createdAt: Date.parse('2026-03-02T12:00:00.123Z'),
    };
    const first = openStore(folder);
    new DeploymentStore(first).add(record);
    first.close();
    const second = openStore(folder);
    const deployments = new DeploymentStore(second);
    expect(deployments.list()).toEqual([record]);
    deployments.remove('d1');
    expect(deployments.list()).toEqual([]);
    second.close();
  });

  it('lets two processes write by turns', () => {
    const folder = temporaryFolder();
    const [first, second] = [openStore(folder), openStore(folder)];
    const record = { userId: 'u', modelName: 'm', modelVersion: '1', config: {}, createdAt: 1 };
    new DeploymentStore(first).add({ ...record, deploymentId: 'a' });
    new DeploymentStore(second).add({ ...record, deploymentId: 'b' });
    expect(new DeploymentStore(first).list()).toHaveLength(2);
    first.close();
    second.close();
  });

  it('refuses a database of a newer server, and says so', () => {
    const folder = temporaryFolder();
    const store = openStore(folder);
    store.exec('PRAGMA user_version = 999');
    store.close();
    expect(() => openStore(folder)).toThrowError(/schema version 999.*newer server/);
  });

  it('says which file cannot be opened', () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'cloudeasyml.db'), 'no database '.repeat(100));
    expect(() => openStore(folder)).toThrowError(/cloudeasyml\.db cannot be opened: file is not a/);
    const file = path.join(folder, 'cloudeasyml.db');
    expect(() => openStore(path.join(file, 'below'))).toThrowError(/cannot be opened/);
  });
});
