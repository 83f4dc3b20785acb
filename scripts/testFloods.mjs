// npm run test:floods: what a user's predictions take while another user floods the server.
//
//   node scripts/testFloods.mjs [flood…]    all floods at once, or only these
//   --seconds <n>                           of each measurement; 10
//   --each                                  measures each flood alone as well
import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { floods } from './floods/floods.mjs';
import { measureLatency } from './floods/latency.mjs';
import { startServer } from './floods/server.mjs';

const perSecond = 200;
/** Floods may make the slowest of a hundred requests this many times as slow. */
const mostTimes = 10;
const mostBytes = 1024 ** 3;
/** Floods begin before what is measured. */
const leadMs = 2000;
const flooder = fileURLToPath(new URL('floods/flooder.mjs', import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '10' }, each: { type: 'boolean' } },
});
const seconds = Number(values.seconds);
const names = positionals.length > 0 ? positionals : Object.keys(floods);
const unknown = names.find((name) => !floods[name]);
if (unknown) {
  console.error(`There is no flood "${unknown}". There are: ${Object.keys(floods).join(', ')}`);
  process.exit(2);
}

async function underFloods(server, which) {
  const { url, key, deploymentId } = server.attacker;
  const children = which.map((name) => fork(flooder, [name, url.href, key, deploymentId]));
  await sleep(leadMs);
  const measured = await measureLatency(server.user, { seconds, perSecond });
  const ended = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
  for (const child of children) child.disconnect();
  await Promise.all(ended);
  return measured;
}

function row(name, { p50, p99, requests, failed }, alone) {
  const times = (p99 / alone.p99).toFixed(1);
  return `${name.padEnd(18)} ${p50.toFixed(2).padStart(9)} ${p99.toFixed(2).padStart(9)} ${times.padStart(9)} ${String(requests).padStart(9)} ${String(failed).padStart(7)}`;
}

const server = await startServer();
try {
  await measureLatency(server.user, { seconds: 2, perSecond });
  const alone = await measureLatency(server.user, { seconds, perSecond });
  console.log(
    `${''.padEnd(18)} ${'p50 ms'.padStart(9)} ${'p99 ms'.padStart(9)} ${'× alone'.padStart(9)} ${'requests'.padStart(9)} ${'failed'.padStart(7)}`,
  );
  console.log(row('alone', alone, alone));
  for (const name of values.each ? names : []) {
    console.log(row(name, await underFloods(server, [name]), alone));
  }
  const flooded = await underFloods(server, names);
  console.log(row(names.length > 1 ? 'all at once' : names[0], flooded, alone));
  const peak = server.peakBytes();
  console.log(`The server had at most ${Math.round(peak / 1024 ** 2)} MiB resident.`);
  const faults = [
    flooded.p99 > mostTimes * alone.p99 && `p99 grew more than ${mostTimes} times`,
    flooded.failed > 0 && `${flooded.failed} predictions failed`,
    peak > mostBytes && `more than ${mostBytes / 1024 ** 2} MiB were resident`,
  ].filter(Boolean);
  if (faults.length > 0) {
    console.log(`Not withstood: ${faults.join('; ')}.`);
    process.exitCode = 1;
  }
} finally {
  await server.stop();
}
