/**
 * @typedef {import('./subjects.mjs').Subject} Subject
 * @typedef {import('./loadGenerator.mjs').LoadRequest} LoadRequest
 * @typedef {Pick<Subject, 'name' | 'title' | 'kind' | 'load'> & Required<Pick<Subject, 'openLoad'>>} HttpSubject
 */

const drainTimeoutMs = 60_000;

/** Of the one row that is asked for over and over. */
export const requestSeed = 11;

/**
 * @type {(named: Pick<Subject, 'name' | 'title' | 'kind'>, request: LoadRequest,
 *   generator: import('./loadGenerator.mjs').LoadGenerator) => HttpSubject}
 */
export function httpSubject(named, request, generator) {
  return {
    ...named,
    load: async (connections, seconds) =>
      drained(request, await generator.run(request, connections, seconds)),
    openLoad: async (run) => drained(request, await run(request)),
  };
}

/**
 * Requests that were cut off when a load ended may keep a server busy: the next to be measured waits until
 * one more has been answered.
 *
 * @template {{ failures: number }} Run
 * @param {LoadRequest} request
 * @param {Run} run
 * @returns {Promise<Run>}
 */
export async function drained({ url, headers, body }, run) {
  const signal = AbortSignal.timeout(drainTimeoutMs);
  try {
    await (await fetch(url, { method: 'POST', headers, body, signal })).arrayBuffer();
    return run;
  } catch {
    return { ...run, failures: run.failures + 1 };
  }
}

/**
 * @param {LoadRequest} request
 * @returns {Promise<any>}
 */
export async function post({ url, headers, body }) {
  const response = await fetch(url, { method: 'POST', headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}

/** @type {(workload: import('./workloads.mjs').Workload, who: string, predict: (data: any[]) => Promise<any>) => Promise<void>} */
export async function proveAnswers(workload, who, predict) {
  for (const rows of workload.proofRows) {
    const data = /** @type {any[]} */ (workload.data(rows, 100 + rows));
    await workload.check(data, await predict(data), who);
  }
}
