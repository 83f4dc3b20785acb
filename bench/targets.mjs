/**
 * What this package promises, held against what a run found.
 *
 * @typedef {object} Target
 * @property {string} what
 * @property {string} expected
 * @property {string} found
 * @property {'pass' | 'miss' | 'not measured'} verdict
 *
 * @typedef {import('./engine/engineBench.mjs').EngineResult} EngineResult
 * @typedef {import('./serving/servingBench.mjs').ServingResult} ServingResult
 */

const outputsOf = {
  allocated: 'outputs allocated',
  owned: 'outputs owned by the caller',
};

/** @type {(what: string, limit: number, found: number) => Target} */
const atMostUs = (what, limit, found) => ({
  what,
  expected: `at most ${limit} µs`,
  found: `${found.toFixed(2)} µs`,
  verdict: found <= limit ? 'pass' : 'miss',
});

/** @type {(what: string, least: number, found: number | undefined) => Target} */
const atLeastTimes = (what, least, found) => ({
  what,
  expected: `at least ${least}×`,
  found: found === undefined ? '' : `${found.toFixed(2)}×`,
  verdict: found === undefined ? 'not measured' : found >= least ? 'pass' : 'miss',
});

/**
 * @param {readonly EngineResult[]} results
 * @returns {Target[]}
 */
export function engineTargets(results) {
  return results.flatMap(({ model, title, outputs, overCLoopUs, timesAsFast }) => {
    const call = `${title}, ${outputsOf[outputs]}`;
    const ratio = `${call}: times as fast as onnxruntime-node`;
    if (model === 'identity') return [atLeastTimes(ratio, 10, timesAsFast.median)];
    if (model !== 'softmax') return [];
    return [
      atMostUs(`${call}: over a C loop`, 0.8, overCLoopUs.median),
      atLeastTimes(ratio, 2.5, timesAsFast.median),
    ];
  });
}

/** Requests per second, as many times as Fastify + onnxruntime-node at 64 connections, by model. */
const servingRatios = new Map([
  ['softmax', 2.4],
  ['mlp', 5.5],
]);

/**
 * @param {readonly ServingResult[]} results
 * @returns {Target[]}
 */
export function servingTargets(results) {
  return results.flatMap(({ model, title, connections, servers }) => {
    const least = servingRatios.get(model);
    const [own] = servers;
    const fastify = servers.find(({ name }) => name === 'fastifyOnnxruntime');
    if (least === undefined || connections !== 64 || !own || !fastify) return [];
    const subject = `${title}, 64 connections`;
    return [
      atLeastTimes(
        `${subject}: times the req/s of Fastify + onnxruntime-node`,
        least,
        fastify.cloudeasymlRatio?.median,
      ),
      lowerP99(`${subject}: p99 below Fastify + onnxruntime-node`, own, fastify),
    ];
  });
}

/**
 * @param {string} what
 * @param {import('./serving/servingBench.mjs').ServerResult} own
 * @param {import('./serving/servingBench.mjs').ServerResult} peer
 * @returns {Target}
 */
function lowerP99(what, own, peer) {
  const ms = (/** @type {number} */ us) => `${(us / 1000).toFixed(2)} ms`;
  const expected = `below ${ms(peer.p99Us.median)}`;
  if (own.refusal || peer.refusal) return { what, expected, found: '', verdict: 'not measured' };
  return {
    what,
    expected,
    found: ms(own.p99Us.median),
    verdict: own.p99Us.median < peer.p99Us.median ? 'pass' : 'miss',
  };
}
