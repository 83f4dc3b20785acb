import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

// Whatever ends the bench ends what it started.
process.on('exit', () => {
  for (const child of running) killAll(familyOf(child), 'SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const startTimeoutMs = 90_000;
const pollMs = 100;
const stopTimeoutMs = 15_000;
const keptOutput = 8192;

/**
 * @typedef {object} ServerProcess
 * @property {string} url where it listens, such as `http://127.0.0.1:41234`
 * @property {number} pid
 * @property {() => Promise<void>} stop
 *
 * @typedef {object} ProcessOptions
 * @property {Record<string, string>} [env] added to this process's
 * @property {string} [cwd]
 * @property {string | undefined} [cpus] that it may run on, as taskset takes them
 * @property {number} [timeoutSeconds] until it is killed
 */

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {ProcessOptions} options
 */
function start(command, args, { env = {}, cwd, cpus, timeoutSeconds }) {
  const [program = command, ...rest] = cpus
    ? ['taskset', '--cpu-list', cpus, command, ...args]
    : [command, ...args];
  const child = spawn(program, rest, {
    env: { ...process.env, ...env },
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const overtime =
    timeoutSeconds &&
    globalThis.setTimeout(() => killAll(familyOf(child), 'SIGKILL'), timeoutSeconds * 1000);
  /** @type {Promise<number | null>} */
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const gone = () => {
    running.delete(child);
    clearTimeout(overtime);
  };
  ended.then(gone, gone);
  return { child, ended };
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {number[]} its id and those of all that it has started, whatever group they have moved to
 */
function familyOf({ pid }) {
  if (pid === undefined) return [];
  const listed = spawnSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).stdout ?? '';
  const pairs = listed
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const family = [pid];
  for (const member of family) {
    family.push(...pairs.flatMap(([id = 0, parent]) => (parent === member ? [id] : [])));
  }
  return family;
}

/**
 * @param {readonly number[]} pids
 * @param {NodeJS.Signals} signal
 */
function killAll(pids, signal) {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
    }
  }
}

/**
 * Runs a program to its end.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {ProcessOptions} [options]
 * @returns {Promise<string>} its standard output
 * @throws Error where it fails, with what it wrote
 */
export async function runToEnd(command, args, options = {}) {
  const { child, ended } = start(command, args, options);
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const code = await ended;
  if (code !== 0) {
    throw new Error(
      `"${command} ${args.join(' ')}" ended with ${code}:\n${output.slice(-keptOutput)}${errors.slice(-keptOutput)}`,
    );
  }
  return output;
}

/**
 * Starts a server and waits until it has written the URL that it listens on, or, where `readyUrl` is given,
 * until that answers 200.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {ProcessOptions & { readyUrl?: string }} [options]
 * @returns {Promise<ServerProcess>}
 * @throws Error where it ends or stays silent instead
 */
export async function startServer(command, args, options = {}) {
  const { child, ended } = start(command, args, options);
  const { readyUrl } = options;
  const commandLine = [command, ...args].join(' ');
  let output = '';
  /** @type {Promise<string>} */
  const written = new Promise((resolve) => {
    const read = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk).slice(-keptOutput);
      const url = /https?:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
      if (url) resolve(url);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
  });
  /** @type {Promise<never>} */
  const failed = ended.then((code) => {
    throw new Error(`"${commandLine}" ended with ${code}:\n${output}`);
  });
  const timer = new AbortController();
  const late = setTimeout(startTimeoutMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`"${commandLine}" did not start within ${startTimeoutMs} ms:\n${output}`);
  });
  const stop = async () => {
    // Supervisors may leave their workers behind.
    const family = familyOf(child);
    child.kill('SIGTERM');
    const patience = new AbortController();
    setTimeout(stopTimeoutMs, undefined, { signal: patience.signal }).then(
      () => killAll(family, 'SIGKILL'),
      () => {},
    );
    await ended;
    patience.abort();
    killAll(family, 'SIGKILL');
  };
  const waiting = new AbortController();
  const ready = readyUrl ? answering(readyUrl, waiting.signal) : written;
  try {
    return { url: await Promise.race([ready, failed, late]), pid: child.pid ?? 0, stop };
  } catch (error) {
    killAll(familyOf(child), 'SIGKILL');
    throw error;
  } finally {
    waiting.abort();
    timer.abort();
    failed.catch(() => {});
    late.catch(() => {});
  }
}

/**
 * @param {string} url
 * @param {AbortSignal} signal ends the wait
 * @returns {Promise<string>} the URL's origin, once it answers 200
 */
async function answering(url, signal) {
  while (!signal.aborted) {
    try {
      const { ok } = await fetch(url);
      if (ok) break;
    } catch {
      // Nobody listens yet.
    }
    await setTimeout(pollMs);
  }
  return new URL(url).origin;
}

/**
 * @param {number} pid
 * @returns {number} bytes of memory that a process holds
 */
export function residentBytes(pid) {
  const listed = spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  const kibibytes = Number.parseInt(listed.stdout ?? '', 10);
  if (Number.isNaN(kibibytes)) throw new Error(`ps knows no process ${pid}.`);
  return kibibytes * 1024;
}

/** @returns {Promise<number>} a TCP port that is free now */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}
