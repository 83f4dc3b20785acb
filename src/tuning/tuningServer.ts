import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CloudEasyMLError } from '../errors.js';
import { dataDirectory } from '../plugin/modelDirectory.js';

const command = fileURLToPath(new URL('../cli/main.js', import.meta.url));

const startTimeoutMs = 60_000;
const stopTimeoutMs = 15_000;
const keptOutput = 4096;
/** High enough never to refuse. */
const requestsPerMinute = 1_000_000_000;

/** A server in a process of its own, with one plugin. */
export interface TuningServer {
  readonly url: string;
  readonly pid: number;
  /** An ordinary user's. */
  readonly apiKey: string;
  /**
   * Deploys the plugin with these overrides of its `serving:` block.
   *
   * @returns the deployment's id
   * @throws CloudEasyMLError model_load_failed with the server's reason
   */
  deploy(serving: Record<string, unknown>): Promise<string>;
  undeploy(deploymentId: string): Promise<void>;
  stop(): Promise<void>;
}

export interface TuningServerOptions {
  plugin: { name: string; directory: string };
  /** `CLOUDEASYML_*` and other variables, above those of this process. */
  env?: Record<string, string>;
  signal?: AbortSignal;
}

/**
 * Starts `serve` on any free port. Its data is in a folder that goes when it stops; trained models are
 * found where this process finds them.
 *
 * @throws CloudEasyMLError internal with the end of its output where it does not start
 */
export async function startTuningServer(options: TuningServerOptions): Promise<TuningServer> {
  const { plugin, env = {}, signal } = options;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'cloudeasyml-tune-'));
  const adminKey = randomBytes(24).toString('hex');
  layOut(folder, plugin.directory);
  const child = spawn(process.execPath, [command, 'serve'], {
    env: {
      ...process.env,
      CLOUDEASYML_HOST: '127.0.0.1',
      CLOUDEASYML_PORT: '0',
      CLOUDEASYML_PLUGINS: path.join(folder, 'plugins'),
      CLOUDEASYML_DATA: path.join(folder, 'data'),
      CLOUDEASYML_ADMIN_KEY: adminKey,
      CLOUDEASYML_LOG_LEVEL: 'warn',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    await ended;
    clearTimeout(timer);
    process.removeListener('exit', killAtExit);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const url = await listening(child, ended);
    const ask = asker(url, signal);
    const user = { name: 'tune', userId: 'tune', rateLimit: requestsPerMinute };
    const { apiKey } = (await ask('POST', '/api-keys', adminKey, user)) as { apiKey: string };
    return {
      url,
      pid: child.pid!,
      apiKey,
      deploy: async (serving) => {
        const request = { modelName: plugin.name, config: { serving } };
        const answer = (await ask('POST', '/deployments', apiKey, request)) as DeploymentAnswer;
        const { deploymentId, status, error } = answer.deployment;
        if (status === 'active') return deploymentId;
        throw new CloudEasyMLError('model_load_failed', `${plugin.name} did not load: ${error}`);
      },
      undeploy: async (deploymentId) => {
        await ask('DELETE', `/deployments/${deploymentId}`, apiKey);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface DeploymentAnswer {
  deployment: { deploymentId: string; status: string; error?: string };
}

function layOut(folder: string, plugin: string): void {
  for (const name of ['plugins', 'data']) mkdirSync(path.join(folder, name));
  symlinkSync(plugin, path.join(folder, 'plugins', path.basename(plugin)));
  const trained = path.join(dataDirectory(), 'models');
  if (existsSync(trained)) symlinkSync(trained, path.join(folder, 'data', 'models'));
}

type Child = ReturnType<typeof spawn>;

function listening(child: Child, ended: Promise<void>): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const fail = (what: string) =>
      reject(new CloudEasyMLError('internal', `The server ${what}:\n${output.trim()}`));
    const timer = setTimeout(
      () => fail(`did not listen within ${startTimeoutMs / 1000} seconds`),
      startTimeoutMs,
    );
    const read = (chunk: Buffer) => {
      output = (output + chunk).slice(-keptOutput);
      const url = /https?:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
      if (!url) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    ended.then(() => {
      clearTimeout(timer);
      fail('ended before it listened');
    });
  });
}

function asker(url: string, signal: AbortSignal | undefined) {
  return async (method: string, route: string, key: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${url}${route}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
    const text = await response.text();
    const answer = text === '' ? undefined : JSON.parse(text);
    if (response.ok) return answer;
    throw new CloudEasyMLError(
      'internal',
      `${method} ${route} was answered ${response.status}: ${answer?.detail ?? text}`,
    );
  };
}
