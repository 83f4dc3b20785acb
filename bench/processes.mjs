import { spawn } from 'node:child_process';

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

// Whatever ends the bench ends what it started.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const startTimeoutMs = 60_000;
const stopTimeoutMs = 15_000;
const keptOutput = 8192;

/**
 * @typedef {object} ServerProcess
 * @property {string} url where it listens, such as `http://127.0.0.1:41234`
 * @property {() => Promise<void>} stop
 *
 * @typedef {{ env?: Record<string, string>, cwd?: string }} ProcessOptions
 */

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {ProcessOptions} options
 */
function start(command, args, { env = {}, cwd }) {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  /** @type {Promise<number | null>} */
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  return { child, ended };
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
 * Starts a server and waits until it has written the URL that it listens on.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {ProcessOptions} [options]
 * @returns {Promise<ServerProcess>}
 * @throws Error where it ends or stays silent instead
 */
export async function startServer(command, args, options = {}) {
  const { child, ended } = start(command, args, options);
  let output = '';
  /** @type {Promise<string>} */
  const listening = new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`"${command} ${args.join(' ')}" did not start:\n${output}`)),
      startTimeoutMs,
    );
    const read = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk).slice(-keptOutput);
      const url = /https?:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
      if (!url) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    ended.then((code) => {
      clearTimeout(timer);
      reject(new Error(`"${command} ${args.join(' ')}" ended with ${code}:\n${output}`));
    }, reject);
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    await ended;
    clearTimeout(timer);
  };
  try {
    return { url: await listening, stop };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}
