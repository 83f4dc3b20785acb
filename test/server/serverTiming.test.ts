import { expect, it } from 'vitest';
import type { PredictionAnswer } from '../support/httpClient.js';
import { ServerProcess } from '../support/serverProcess.js';

const format = /^queue;dur=(\d+\.\d{3}), batch;dur=(\d+\.\d{3}), compute;dur=(\d+\.\d{3})$/;

async function ask(server: ServerProcess) {
  const ada = await server.user('ada');
  const deploymentId = await ada.deploy('irisClassification');
  const data = [[5.1, 3.5, 1.4, 0.2]];
  return ada.predict(deploymentId, data);
}

it('an answer says where its time went, if that is wanted', async () => {
  const server = await ServerProcess.start({
    workers: 1,
    env: { CLOUDEASYML_SERVER_TIMING: 'true' },
  });
  const { headers, json } = await ask(server);
  const [, queue, batch, compute] = (format.exec(String(headers['server-timing'])) ?? []).map(
    Number,
  );
  expect(queue).toBeGreaterThan(0);
  // The answer's own figure is of the batch and the run.
  const { processingTimeMs } = json as PredictionAnswer;
  expect(batch! + compute!).toBeCloseTo(processingTimeMs, 2);
});

it('and else says nothing of it', async () => {
  const server = await ServerProcess.start({ workers: 1 });
  const { headers } = await ask(server);
  expect(headers).not.toHaveProperty('server-timing');
});
