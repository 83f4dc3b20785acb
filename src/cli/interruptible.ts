import { CloudEasyMLError } from '../errors.js';

/** The exit code that shells expect of a program that Ctrl-C stopped. */
const interrupted = 130;

/**
 * Runs a command that Ctrl-C stops in order.
 *
 * @param command gets the signal that Ctrl-C aborts; answers with its exit code
 * @param stopped the line for standard error when it was stopped
 * @returns the command's exit code, 1 where it failed (one line on standard error says why), 130 stopped
 */
export async function interruptible(
  command: (signal: AbortSignal) => Promise<number>,
  stopped: string,
): Promise<number> {
  const stop = new AbortController();
  const onInterrupt = () => stop.abort();
  // Once: a second Ctrl-C ends the program the hard way.
  process.once('SIGINT', onInterrupt);
  try {
    return await command(stop.signal);
  } catch (error) {
    if (stop.signal.aborted) {
      process.stderr.write(`${stopped}\n`);
      return interrupted;
    }
    if (!(error instanceof CloudEasyMLError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
}
