// How long a user waits for predictions.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** A request that takes longer counts as failed. */
const patienceMs = 10_000;
const data = [[0.1, 0.2, 0.3, 0.4]];

function predict({ url, key, deploymentId }, agent) {
  const body = JSON.stringify({ deploymentId, data });
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  return new Promise((resolve) => {
    const request = http.request(new URL('/predict', url), { method: 'POST', agent, headers });
    request.on('response', (response) => {
      response.resume().on('end', () => resolve(response.statusCode === 200));
    });
    request.on('error', () => resolve(false));
    request.setTimeout(patienceMs, () => request.destroy());
    request.end(body);
  });
}

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/**
 * Sends requests at fixed times, whether or not earlier ones are answered, and counts each from the time at
 * which it was due.
 *
 * @returns {Promise<{p50: number, p99: number, requests: number, failed: number}>} milliseconds
 */
export async function measureLatency(user, { seconds, perSecond }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const times = [];
  const pending = [];
  let failed = 0;
  const from = performance.now();
  for (let i = 0; i < seconds * perSecond; i++) {
    const due = from + (i * 1000) / perSecond;
    const wait = due - performance.now();
    if (wait > 1) await sleep(wait);
    const answered = predict(user, agent).then((isRight) => {
      times.push(performance.now() - due);
      if (!isRight) failed++;
    });
    pending.push(answered);
  }
  await Promise.all(pending);
  agent.destroy();
  times.sort((a, b) => a - b);
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), requests: times.length, failed };
}
