/** Node.js's own handler of what nothing catches. It ends the thread with `process.exit()`. */
interface FatalHandler {
  _fatalException?: (...details: unknown[]) => unknown;
}

let isDying = false;

/** Has calls that end the process throw an error in this thread, which then fails the plugin alone. */
export function guardProcess(): void {
  const host = process as FatalHandler;
  const handler = host._fatalException;
  // Without it Node.js could not end a thread that has failed.
  if (!handler) return;
  host._fatalException = (...details) => {
    isDying = true;
    try {
      return handler.apply(process, details);
    } finally {
      isDying = false;
    }
  };
  for (const name of ['exit', 'reallyExit', 'abort']) forbid(name, `process.${name}()`, () => true);
  // Signal 0 only asks. Others would reach this process, or a group that it is in.
  forbid('kill', 'process.kill() of the server', (pid, signal) => {
    return (Number(pid) === process.pid || Number(pid) <= 0) && signal !== 0;
  });
}

function forbid(name: string, what: string, isForbidden: (...details: unknown[]) => boolean): void {
  const allowed: (...details: unknown[]) => unknown = Reflect.get(process, name);
  const value = (...details: unknown[]) => {
    if (isDying || !isForbidden(...details)) return allowed.apply(process, details);
    throw new Error(
      `A plugin must not end the server: ${what} is not allowed here. Throw an error instead.`,
    );
  };
  Object.defineProperty(process, name, { value, writable: false, configurable: false });
}
