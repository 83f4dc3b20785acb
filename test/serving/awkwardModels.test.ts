import { beforeAll, describe, expect, it } from 'vitest';
import { jsonText } from '../support/awkward/awkwardModel.js';
import { awkwardModels } from '../support/awkwardModels.js';
import { ConcurrentClients, clientCount, expectedFrame } from '../support/concurrentClients.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';

// Long enough for the requests of all clients to come together.
const serving = { maxQueueDelayUs: 3000 };

let server: ServerProcess;
let clients: ConcurrentClients;

beforeAll(async () => {
  const plugins = await pluginFolder([], awkwardModels);
  server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
  clients = await ConcurrentClients.connect(server);
});

describe.each(Object.entries(awkwardModels))('%s', (name, model) => {
  const requests = Array.from({ length: clientCount }, (_, client) => model.request(client));
  let deploymentId: string;

  beforeAll(async () => {
    deploymentId = await server.admin.deploy(name, { serving });
  });

  it(`gives each of ${clientCount} clients what it gives one alone`, async () => {
    const ask = clients.overHttp(deploymentId, requests);
    const alone = await clients.alone(ask);
    for (const [client, { predictions }] of requests.entries()) {
      const begin = `{"predictions":${jsonText(predictions)},"metadata":`;
      expect(alone[client]!.text.slice(0, begin.length)).toBe(begin);
    }
    expect(await clients.differences(ask, alone)).toEqual([]);
  });

  it('does so in bytes', async () => {
    const ask = clients.overFrames(deploymentId, model, requests);
    const alone = await clients.alone(ask);
    for (const [client, request] of requests.entries()) {
      const { bytes, ...header } = expectedFrame(model, request);
      const { text, bytes: received } = alone[client]!;
      expect(JSON.parse(text)).toMatchObject(JSON.parse(JSON.stringify(header)));
      expect(received?.toString('hex')).toBe(bytes.toString('hex'));
    }
    expect(await clients.differences(ask, alone)).toEqual([]);
  });
});
