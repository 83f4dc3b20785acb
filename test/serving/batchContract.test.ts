import { beforeAll, describe, expect, it } from 'vitest';
import { deploymentCreated } from '../../dist/server/routes/contract.js';
import { awkwardModels } from '../support/awkwardModels.js';
import type { HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import {
  addingPairs,
  batchObserver,
  countingUp,
  noisy,
  secretObserver,
  wordIndex,
} from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';

interface Decision {
  joined: boolean;
  verified: boolean;
  detail?: RegExp;
}

const joined: Decision = { joined: true, verified: true };
/** By its shapes: there is nothing to try. */
const whole: Decision = { joined: false, verified: true };
/** By its shapes it could be joined, and a trial showed that it must not. */
const refuted: Decision = whole;
const unverified = { verified: false, detail: /not verified/i };

const decisions: Record<string, Decision> = {
  constantBesideRows: whole,
  constantAlone: whole,
  nonZeroPlaces: whole,
  sortedValues: whole,
  sortedUnnamed: refuted,
  meanOfAll: whole,
  columnMeans: whole,
  centred: refuted,
  dynamicallyQuantized: refuted,
  timeMajor: refuted,
  pairProducts: whole,
  fourFeatures: whole,
  fixedFours: whole,
  paddedFours: joined,
  oneByOne: whole,
  singleNumber: whole,
  noInputs: whole,
  scalarInput: joined,
  stateOnSecondAxis: whole,
  unnamedAxes: joined,
  anyWidth: joined,
  hiddenWidth: { joined: true, ...unverified },
  hiddenUnnamed: { joined: false, ...unverified },
  countedAxes: joined,
  columns: joined,
  unbatched: whole,
  echoFloat16: joined,
  echoBfloat16: joined,
  echoInt8: joined,
  echoUint64: joined,
  echoBool: joined,
  strings: joined,
  numberedClasses: joined,
  namedClasses: joined,
  splitRows: joined,
  splitColumns: refuted,
  addingPairs: joined,
  countingUp: joined,
  wordIndex: joined,
  irisClassification: joined,
  batchObserver: refuted,
  noisy: { joined: true, ...unverified },
};

let server: ServerProcess;
let client: HttpClient;

beforeAll(async () => {
  const plugins = await pluginFolder(['irisClassification', 'echo'], {
    ...awkwardModels,
    addingPairs: { model: addingPairs() },
    countingUp: { model: countingUp() },
    wordIndex: { model: wordIndex() },
    batchObserver: { model: batchObserver('batch', 8) },
    secretObserver: { model: secretObserver() },
    noisy: { model: noisy() },
  });
  server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
  client = await server.user('ada');
});

async function deploy(modelName: string, serving = {}) {
  const config = { serving };
  const answer = await client.send('POST', '/deployments', { json: { modelName, config } });
  expect(answer.status, answer.text).toBe(201);
  expect(deploymentCreated.parse(answer.json)).toEqual(answer.json);
  return deploymentCreated.parse(answer.json).deployment;
}

describe('a deployment says how its model is batched', () => {
  it.each(Object.entries(decisions))('%s', async (name, { joined, verified, detail }) => {
    const { deploymentId, batching } = await deploy(name);
    expect(batching, batching?.detail).toMatchObject({ joined, verified });
    expect(batching?.detail).toMatch(/^[A-Z].*\.$/);
    if (detail) expect(batching?.detail).toMatch(detail);

    const { json } = await client.send('GET', `/deployments/${deploymentId}`);
    expect(json).toMatchObject({ deployment: { batching } });
  });

  it('by hand, where its settings do', async () => {
    const batchingOf = async (name: string, serving: object) =>
      (await deploy(name, serving)).batching;
    expect(await batchingOf('countingUp', { maxBatchSize: 0 })).toMatchObject({
      joined: false,
      detail: expect.stringContaining('maxBatchSize'),
    });
    const byHand = { joined: true, verified: false, detail: expect.stringContaining('batchAxis') };
    expect(await batchingOf('batchObserver', { batchAxis: 'rows' })).toMatchObject(byHand);
    expect(await batchingOf('fixedFours', { batchAxis: 'fixed' })).toMatchObject({ joined: true });
  });

  it('and nothing where its code does that', async () => {
    const { deployment } = (
      await client.send('POST', '/deployments', { json: { modelName: 'echo' } })
    ).json as { deployment: object };
    expect(deployment).not.toHaveProperty('batching');
  });
});

const clients = 50;
const maxQueueDelayUs = 5000;

describe('requests', () => {
  /** Asks with as many clients as there are. @returns what the answers say of their batches' rows */
  async function rowsSeen(deploymentId: string, x: number, rowsOf: (answer: unknown) => number) {
    const asking = Array.from({ length: clients }, async () => {
      const connection = client.as(client.key, 1);
      const { predictions } = await connection.predicted(deploymentId, [x]);
      return rowsOf(predictions);
    });
    return Promise.all(asking);
  }

  it('are joined where a trial finds nothing against it', async () => {
    const { deploymentId, batching } = await deploy('secretObserver', { maxQueueDelayUs });
    expect(batching).toMatchObject(joined);
    const seen = await rowsSeen(deploymentId, 2e30, (predictions) => (predictions as number[])[0]!);
    expect(Math.max(...seen)).toBeGreaterThan(1);
  });

  const rowsReported = (predictions: unknown) => (predictions as { rows: number[] }).rows[0]!;

  it('are not joined where a trial’s answers differ', async () => {
    const { deploymentId } = await deploy('batchObserver', { maxQueueDelayUs });
    expect(await rowsSeen(deploymentId, 1, rowsReported)).toEqual(Array(clients).fill(1));
  });

  it('are joined all the same where the model’s first axis is said to be the batch', async () => {
    const serving = { maxQueueDelayUs, batchAxis: 'rows' };
    const { deploymentId } = await deploy('batchObserver', serving);
    const seen = await rowsSeen(deploymentId, 1, rowsReported);
    expect(Math.max(...seen)).toBeGreaterThan(1);
  });
});
