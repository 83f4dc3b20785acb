import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

/** The project's folder. */
export const root = fileURLToPath(new URL('../../', import.meta.url));
const running = new Set<ServerCommand>();

afterAll(() => {
  for (const command of running) command.killAll();
});

export interface CommandEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A command that starts a server, in a process group of its own. It need not come to listen. */
export class ServerCommand {
  /** What it wrote to its standard output and error so far. */
  output = '';
  readonly ended: Promise<CommandEnd>;
  readonly #process: ChildProcess;

  constructor(command: string[], env: Record<string, string>, cwd = root) {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(npm_|CLOUDEASYML_)/.test(name) || name === 'CLOUDEASYML_ADDON',
    );
    this.#process = spawn(command[0]!, command.slice(1), {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...Object.fromEntries(inherited), CLOUDEASYML_PORT: '0', ...env },
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (text) => {
        this.output += text;
      });
    }
    running.add(this);
    this.ended = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => resolve({ code, signal }));
    });
  }

  /** The server itself, without npm or anything else around it. */
  static serve(env: Record<string, string>, args: string[] = []): ServerCommand {
    return new ServerCommand([process.execPath, `${root}dist/cli/main.js`, 'serve', ...args], env);
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Whether it would be told of SIGHUP, rather than be ended by it. */
  get heedsSignals(): boolean {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
      return (BigInt(`0x${/SigCgt:\s*(\w+)/.exec(status)![1]}`) & 1n) === 1n;
    } catch {
      return false;
    }
  }

  send(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Ends it and whatever it started. */
  killAll(): void {
    running.delete(this);
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Nothing is left of it.
    }
  }
}
