import path from 'node:path';
import { sampleRows, servedModels, writeModel } from '../models/index.mjs';
import { ratiosOf, spreadOf } from '../statistics.mjs';
import { chooseLoadGenerator } from './loadGenerator.mjs';
import { startSubjects } from './subjects.mjs';

/** Share of its CPU time from which a generator, and not the server, may be what a figure tells of. */
const generatorLimit = 0.95;

/**
 * @typedef {import('../statistics.mjs').Spread} Spread
 * @typedef {import('./loadGenerator.mjs').LoadRun} LoadRun
 *
 * @typedef {object} ServerResult
 * @property {string} name
 * @property {string} title
 * @property {Spread} requestsPerSecond
 * @property {Spread} p50Us
 * @property {Spread} p90Us
 * @property {Spread} p99Us
 * @property {Spread} generatorLoad
 * @property {string} [refusal] why the figures say nothing of the server
 * @property {Spread} [cloudeasymlRatio] this package's requests per second by this server's
 *
 * @typedef {object} ServingResult
 * @property {string} model
 * @property {string} title
 * @property {number} connections
 * @property {ServerResult[]} servers this package's first
 *
 * @typedef {{ generator: string, results: ServingResult[] }} ServingReport
 */

/**
 * Puts closed-loop load on this package's server and on each peer, in turn, model by model.
 *
 * @param {import('../options.mjs').Plan['serving']} loads
 * @param {string} folder for models and data
 * @param {(line: string) => void} progress
 * @returns {Promise<ServingReport>}
 */
export async function benchServing(loads, folder, progress) {
  const generator = chooseLoadGenerator(folder);
  const results = [];
  for (const model of servedModels) {
    progress(`serving: starting the servers for ${model.title}`);
    const { model: modelFile } = writeModel(model, path.join(folder, 'models'));
    const subjects = await startSubjects(model, modelFile, path.join(folder, 'server', model.name));
    const rows = sampleRows(model, 1, 11);
    const runs = subjects.map((subject) => ({ subject, request: subject.request(rows), sent: 0 }));
    for (const { subject } of runs) await subject.prove();
    for (const load of loads) {
      const servers = await measureLoad(load, runs, generator, (line) =>
        progress(`serving ${model.title}, ${load.connections} connections, ${line}`),
      );
      results.push({
        model: model.name,
        title: model.title,
        connections: load.connections,
        servers,
      });
    }
    for (const { subject, sent } of runs) {
      await subject.settle(sent);
      await subject.stop();
    }
  }
  return { generator: generator.name, results };
}

/**
 * @param {import('../options.mjs').Load} load
 * @param {{ subject: import('./subjects.mjs').Subject, request: import('./loadGenerator.mjs').LoadRequest,
 *   sent: number }[]} runs
 * @param {import('./loadGenerator.mjs').LoadGenerator} generator
 * @param {(line: string) => void} progress
 * @returns {Promise<ServerResult[]>}
 */
async function measureLoad(
  { connections, rounds, seconds, warmUpSeconds },
  runs,
  generator,
  progress,
) {
  const measured = runs.map(() => /** @type {LoadRun[]} */ ([]));
  for (let round = 0; round <= rounds; round++) {
    progress(round === 0 ? 'warm-up' : `round ${round} of ${rounds}`);
    for (const [index, run] of runs.entries()) {
      const duration = round === 0 ? warmUpSeconds : seconds;
      const result = await generator.run(run.request, connections, duration);
      run.sent += result.requests;
      if (round > 0) measured[index]?.push(result);
    }
  }
  const servers = runs.map(({ subject }, index) => serverResult(subject, measured[index] ?? []));
  const rates = measured.map((each) => each.map(({ requests, seconds }) => requests / seconds));
  const [own, ...others] = servers;
  others.forEach((server, index) => {
    if (own?.refusal || server.refusal) return;
    server.cloudeasymlRatio = ratiosOf(rates[0] ?? [], rates[index + 1] ?? []);
  });
  return servers;
}

/**
 * @param {import('./subjects.mjs').Subject} subject
 * @param {LoadRun[]} runs
 * @returns {ServerResult}
 */
function serverResult({ name, title }, runs) {
  const spread = (/** @type {(run: LoadRun) => number} */ figure) => spreadOf(runs.map(figure));
  const failures = runs.reduce((sum, run) => sum + run.failures, 0);
  const generatorLoad = spread((run) => run.generatorLoad);
  const result = {
    name,
    title,
    requestsPerSecond: spread(({ requests, seconds }) => requests / seconds),
    p50Us: spread((run) => run.p50Us),
    p90Us: spread((run) => run.p90Us),
    p99Us: spread((run) => run.p99Us),
    generatorLoad,
  };
  if (failures > 0) return { ...result, refusal: `${failures} requests failed` };
  if (generatorLoad.median >= generatorLimit) {
    return { ...result, refusal: 'the load generator was the bottleneck' };
  }
  return result;
}
