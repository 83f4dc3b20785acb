// One closed loop by autocannon, whose process's CPU time is its own: `node autocannonLoad.mjs <file>`.
import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';

const { url, headers, body, connections, seconds, threads } = JSON.parse(
  readFileSync(process.argv[2] ?? '', 'utf8'),
);
const result = await autocannon({
  url,
  method: 'POST',
  headers,
  body,
  connections,
  duration: seconds,
  timeout: 30,
  workers: threads,
});
const { user, system } = process.cpuUsage();
const inUs = (/** @type {number} */ ms) => ms * 1000;
console.log(
  JSON.stringify({
    requests: result['2xx'],
    seconds: result.duration,
    meanUs: inUs(result.latency.average),
    deviationUs: inUs(result.latency.stddev),
    p50Us: inUs(result.latency.p50),
    p90Us: inUs(result.latency.p90),
    p99Us: inUs(result.latency.p99),
    failures: result.errors + result.non2xx,
    cpuSeconds: (user + system) / 1e6,
  }),
);
