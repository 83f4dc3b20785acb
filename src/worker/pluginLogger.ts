import type { PluginLogger } from '../plugin/baseModel.js';
import type { FromWorker, PluginLog } from './messages.js';

/** The same error is written this often at most. */
const repeatMs = 1_000;
/** Errors that are told apart at a time. */
const mostErrors = 64;

/** What one deployment's plugin in this thread writes to the server's log. */
export class DeploymentLog implements PluginLogger {
  readonly #handle: number;
  readonly #tell: (message: FromWorker) => void;
  /** When each error was last written, by its stack, and how often it occurred since. */
  readonly #seen = new Map<string, { at: number; missed: number }>();

  constructor(handle: number, tell: (message: FromWorker) => void) {
    this.#handle = handle;
    this.#tell = tell;
  }

  info(text: string, details?: Record<string, unknown>): void {
    this.#write('info', text, details);
  }

  warn(text: string, details?: Record<string, unknown>): void {
    this.#write('warn', text, details);
  }

  error(text: string, details?: Record<string, unknown>): void {
    this.#write('error', text, details);
  }

  /** Writes what the plugin's code threw, with its stack. A plugin may fail with every request. */
  failure(what: string, thrown: unknown): void {
    const { name, message, stack } = describe(thrown);
    const key = stack ?? message;
    const now = performance.now();
    const before = this.#seen.get(key);
    if (before && now < before.at + repeatMs) {
      before.missed++;
      return;
    }
    if (this.#seen.size >= mostErrors) this.#seen.clear();
    this.#seen.set(key, { at: now, missed: 0 });
    const repeated = before && before.missed > 0 ? { repeated: before.missed } : undefined;
    this.#send({ level: 'error', text: what, details: repeated, error: { name, message, stack } });
  }

  #write(level: PluginLog['level'], text: unknown, details: unknown): void {
    this.#send({ level, text: String(text), details: plain(details) });
  }

  #send(line: Omit<PluginLog, 'type' | 'handle'>): void {
    this.#tell({ type: 'log', handle: this.#handle, ...line });
  }
}

function describe(thrown: unknown): { name: string; message: string; stack?: string } {
  if (thrown instanceof Error) {
    const { name, message, stack } = thrown;
    return { name: String(name), message: String(message), stack: stack && String(stack) };
  }
  try {
    return { name: 'Error', message: `It threw ${String(thrown)}, which is not an Error.` };
  } catch {
    return { name: 'Error', message: 'It threw an object that has no text.' };
  }
}

/** Details as JSON shows them, which can be sent to another thread. */
function plain(details: unknown): Record<string, unknown> | undefined {
  if (typeof details !== 'object' || details === null) return undefined;
  try {
    const shown = Object.entries(details).map(([key, value]) => [
      key,
      value instanceof Error ? describe(value) : value,
    ]);
    return JSON.parse(JSON.stringify(Object.fromEntries(shown)));
  } catch {
    return { details: 'They can’t be shown as JSON.' };
  }
}
