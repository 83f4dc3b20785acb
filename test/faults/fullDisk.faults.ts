import { afterAll, expect, it } from 'vitest';
import type { Answer, HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { Random } from '../support/random.js';
import { countingUp } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SmallDisk } from '../support/smallDisk.js';
import { ask, Promises } from './promises.js';

const episodes = Number(process.env.EPISODES ?? 10);
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const random = new Random(seed);
const lanes = 4;
const episodeMs = 4000;

const disk = SmallDisk.mount(3 * 1024 * 1024);
afterAll(() => disk?.unmount());

const keys = new Promises();
const secrets = new Map<string, string>();
const deployments = new Promises();
let predictions = 0;
const counts: Record<string, number> = {};

function count(what: string, answer: Answer | undefined): void {
  const name = `${what} ${answer?.status ?? 'cut off'}`;
  counts[name] = (counts[name] ?? 0) + 1;
}

/** One request at random, and what its client is told. */
async function step(admin: HttpClient): Promise<void> {
  const chance = random.next();
  if (chance < 0.3) return makeKey(admin);
  if (chance < 0.45) return removeKey(admin);
  if (chance < 0.6) return deploy(admin);
  if (chance < 0.7) return undeploy(admin);
  if (chance < 0.8) return checkKey(admin);
  const id = random.pick(deployments.present);
  if (id === undefined) return;
  predictions++;
  await ask(admin, 'POST', `/predict/${id}`, { data: [[1, 2]] });
}

async function makeKey(admin: HttpClient): Promise<void> {
  const answer = await ask(admin, 'POST', '/api-keys', { name: 'fault', userId: 'ada' });
  count('make a key', answer);
  if (!answer) return keys.lose();
  if (answer.status !== 201) return expect(answer.status, answer.text).toBe(503);
  const { apiKey, metadata } = answer.json as { apiKey: string; metadata: { keyId: string } };
  secrets.set(metadata.keyId, apiKey);
  keys.tell(metadata.keyId, 'there');
}

async function removeKey(admin: HttpClient): Promise<void> {
  const id = random.pick(keys.present.filter((keyId) => keyId !== 'bootstrap'));
  if (id === undefined) return;
  keys.tell(id, 'unsure');
  const answer = await ask(admin, 'DELETE', `/api-keys/${id}`);
  count('remove a key', answer);
  if (answer?.status === 200) keys.tell(id, 'gone');
  else if (answer) {
    expect(answer.json, answer.text).toMatchObject({ code: 'storage_failed' });
    keys.revokedInMemory(id);
  }
}

/** A key is accepted, or refused, as was told last. */
async function checkKey(admin: HttpClient): Promise<void> {
  const [id, told] = random.pick(keys.known.filter(([keyId]) => secrets.has(keyId))) ?? [];
  if (id === undefined || told === 'unsure') return;
  const client = admin.as(secrets.get(id));
  const answer = await ask(client, 'GET', '/models');
  client.close();
  // Another lane may have changed it meanwhile.
  const now = keys.known.find(([keyId]) => keyId === id)![1];
  if (!answer || now !== told) return;
  // After many such keys an address has to wait with keys that are not known.
  const expected = told === 'there' ? [200] : [401, 429];
  expect(expected, `key ${id}, told ${told}`).toContain(answer.status);
}

async function deploy(admin: HttpClient): Promise<void> {
  const answer = await ask(admin, 'POST', '/deployments', { modelName: 'model' });
  count('deploy', answer);
  if (!answer) return deployments.lose();
  if (answer.status !== 201) return expect(answer.status, answer.text).toBe(503);
  const { deployment } = answer.json as { deployment: { deploymentId: string } };
  deployments.tell(deployment.deploymentId, 'there');
}

async function undeploy(admin: HttpClient): Promise<void> {
  const id = random.pick(deployments.present);
  if (id === undefined) return;
  deployments.tell(id, 'unsure');
  const answer = await ask(admin, 'DELETE', `/deployments/${id}`);
  count('remove a deployment', answer);
  if (answer?.status === 200) deployments.tell(id, 'gone');
  else if (answer) {
    expect(answer.json, answer.text).toMatchObject({ code: 'storage_failed' });
    deployments.tell(id, 'there');
  }
}

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Fills the disk, sometimes but for a few pages, and empties it, again and again. */
async function disturb(until: number): Promise<void> {
  while (Date.now() < until) {
    await delay(random.below(800));
    disk!.fill(random.below(3) === 0 ? random.below(12) * 4096 : 0);
    await delay(random.below(500));
    if (Date.now() < until || random.below(2) === 0) disk!.empty();
  }
}

async function idsOf(admin: HttpClient, route: string, list: string, id: string) {
  const answer = await admin.send('GET', route);
  expect(answer.status, answer.text).toBe(200);
  return (answer.json as Record<string, Record<string, string>[]>)[list]!.map(
    (entry) => entry[id]!,
  );
}

/** @returns a sentence for each difference between what the server has and what clients were told */
async function compare(admin: HttpClient): Promise<string[]> {
  const keyIds = await idsOf(admin, '/api-keys', 'apiKeys', 'keyId');
  const differences = [
    ...keys.compare(keyIds, 'key'),
    ...deployments.compare(
      await idsOf(admin, '/deployments', 'deployments', 'deploymentId'),
      'deployment',
    ),
  ];
  for (const [id, secret] of secrets) {
    const client = admin.as(secret);
    const { status } = await client.send('GET', '/models');
    client.close();
    if ((status === 200) !== keyIds.includes(id)) differences.push(`key ${id}: answered ${status}`);
  }
  const { totalRequests } = (await admin.send('GET', '/usage')).json as { totalRequests: number };
  expect(totalRequests).toBeLessThanOrEqual(predictions);
  return differences;
}

/** Starts on the disk as it is; where that is too full, on an emptied one. */
async function start(plugins: string): Promise<ServerProcess> {
  const options = { plugins: [plugins], workers: 1, data: disk!.folder };
  try {
    return await ServerProcess.start(options);
  } catch (error) {
    expect((error as Error).message).toMatch(/The database \S+ cannot be opened|stored: database/);
    expect((error as Error).message).not.toMatch(/^ +at /m);
    disk!.empty();
    return ServerProcess.start(options);
  }
}

it('whatever the disk does, a server has what its clients were told', {
  timeout: episodes * 60_000,
}, async (context) => {
  if (!disk) return context.skip('no file system can be mounted here');
  console.log(`SEED=${seed} EPISODES=${episodes}`);
  const plugins = await pluginFolder([], { model: { model: countingUp() } });
  keys.tell('bootstrap', 'there');
  let server = await start(plugins);
  for (let episode = 1; episode <= episodes; episode++) {
    const { admin } = server;
    const until = Date.now() + episodeMs;
    const work = Array.from({ length: lanes }, async () => {
      while (Date.now() < until) {
        await step(admin);
        await delay(random.below(20));
      }
    });
    const end = random.pick(['kill', 'killLater', 'stop', 'stopWithRoom'] as const);
    const killed =
      end === 'kill' ? delay(random.below(episodeMs)).then(() => server.kill()) : undefined;
    await Promise.all([...work, disturb(until)]);
    await killed;
    if (end === 'stopWithRoom') disk.empty();
    if (end === 'killLater') await server.kill();
    else if (end !== 'kill') expect(await server.stop(), server.output).toBe(0);
    const restarted = { end, free: disk.freeBytes };
    keys.restarted(end === 'stopWithRoom');
    if (random.below(2) === 0) disk.empty();
    const { output } = server;
    server = await start(plugins);
    disk.empty();
    console.log(`episode ${episode}`, restarted, 'keys', keys.present.length);
    expect(await compare(server.admin), output).toEqual([]);
  }
  console.log(counts);
  expect(await server.stop()).toBe(0);
});
