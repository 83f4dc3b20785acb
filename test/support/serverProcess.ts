import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { temporaryFolder } from '../plugin/temporaryFolder.js';
import { HttpClient } from './httpClient.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const adminKey = 'the-key-of-the-tests-admin';
const running = new Set<ServerProcess>();

afterAll(async () => {
  await Promise.all([...running].map((server) => server.kill()));
});

/** A sanitizer's allocator keeps what is freed: how much memory a process has then says nothing. */
export const isSanitized = process.env.CLOUDEASYML_ADDON !== undefined;

export interface ServerOptions {
  /** Plugin folders; the bundled plugins by default. */
  plugins?: string[];
  workers?: number;
  /** Any free one by default. */
  port?: number;
  /** The data folder of a server that ran before; a new one by default. */
  data?: string;
  /** More environment variables. */
  env?: Record<string, string>;
}

/** A server in a process of its own, as `npm start` runs it, on a free port. */
export class ServerProcess {
  readonly adminKey = adminKey;
  readonly url: string;
  readonly data: string;
  /** With the admin's key. */
  readonly admin: HttpClient;
  /** What it wrote to its standard output and error so far. */
  output = '';
  /** The exit code; null where a signal ended it. */
  readonly exited: Promise<number | null>;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, data: string, url: string, output: string) {
    this.#process = process;
    this.data = data;
    this.url = url;
    this.output = output;
    this.admin = new HttpClient(url, this.adminKey);
    process.stdout?.on('data', (text) => {
      this.output += text;
    });
    process.stderr?.on('data', (text) => {
      this.output += text;
    });
    this.exited = new Promise((resolve) => {
      process.once('exit', (code) => {
        running.delete(this);
        this.admin.close();
        resolve(code);
      });
    });
    running.add(this);
  }

  /** Resolves when the server is ready for requests. */
  static async start(options: ServerOptions = {}): Promise<ServerProcess> {
    const { process, data } = await launch(options);
    const { url, output } = await listening(process);
    return new ServerProcess(process, data, url, output);
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Resident bytes of its process. */
  get residentBytes(): number {
    const pages = readFileSync(`/proc/${this.pid}/statm`, 'utf8').split(' ')[1];
    return Number(pages) * 4096;
  }

  /** Has the server stop in order. @returns its exit code, null where a signal ended it */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#process.kill(signal);
    return this.exited;
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    await this.stop('SIGKILL');
  }

  /** A client with a new key of its own. */
  async user(userId: string, more: Record<string, unknown> = {}): Promise<HttpClient> {
    const request = { name: `${userId}’s`, userId, ...more };
    const { status, json, text } = await this.admin.send('POST', '/api-keys', { json: request });
    if (status !== 201) throw new Error(`No key was made: ${text}`);
    return this.admin.as((json as { apiKey: string }).apiKey);
  }
}

async function launch({ plugins, workers, port, data, env }: ServerOptions) {
  const folder = data ?? (await temporaryFolder());
  // The settings of whoever runs the tests must not leak into the server; which addon is tested must.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('CLOUDEASYML_') || name === 'CLOUDEASYML_ADDON',
  );
  const child = spawn(
    process.execPath,
    [`${root}dist/cli/main.js`, 'serve', '--port', String(port ?? 0), '--data', folder],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...Object.fromEntries(inherited),
        CLOUDEASYML_ADMIN_KEY: adminKey,
        CLOUDEASYML_PLUGINS: (plugins ?? [`${root}plugins`]).join(':'),
        CLOUDEASYML_WORKERS: String(workers ?? 2),
        CLOUDEASYML_LOG_LEVEL: 'warn',
        ...env,
      },
    },
  );
  return { process: child, data: folder };
}

function listening(child: ChildProcess): Promise<{ url: string; output: string }> {
  return new Promise((resolve, reject) => {
    let output = '';
    const onText = (text: Buffer) => {
      output += text;
      const url = /listens on (http:\S+)/.exec(output)?.[1];
      if (!url) return;
      stopHearing();
      resolve({ url, output });
    };
    const fail = (code: number | null) => {
      stopHearing();
      reject(new Error(`The server ended with the code ${code} before it listened:\n${output}`));
    };
    const stopHearing = () => {
      child.stdout?.off('data', onText);
      child.stderr?.off('data', onText);
      child.off('exit', fail);
    };
    child.stdout?.on('data', onText);
    child.stderr?.on('data', onText);
    child.on('exit', fail);
  });
}
