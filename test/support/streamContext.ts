import type { StreamContext } from 'cloudeasyml';

const ignore = () => {};

/** What a stream's plugin code gets from the server, for tests that call it themselves. */
export function streamContext({
  signal = new AbortController().signal,
  options = {},
}: Partial<Pick<StreamContext, 'signal' | 'options'>> = {}): StreamContext {
  const logger = { info: ignore, warn: ignore, error: ignore };
  return { signal, options, deadline: Number.POSITIVE_INFINITY, requestId: '', logger };
}
