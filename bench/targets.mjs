/**
 * What this package promises, held against what a run found.
 *
 * @typedef {object} Target
 * @property {string} what
 * @property {string} expected
 * @property {string} found
 * @property {'pass' | 'miss' | 'not measured'} verdict
 *
 * @typedef {import('./engine/callBench.mjs').EngineResult} EngineResult
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

/** Requests per second, as many times as a peer's at 64 connections, by model. */
const servingRatios = /** @type {const} */ ([
  ['softmax', 'fastifyOnnxruntime', 3],
  ['softmax', 'bareUws', 0.9],
  ['mlp', 'fastifyOnnxruntime', 7],
]);

/** Requests per second over WebSockets, as many times as over HTTP, with 64 in flight. */
const leastOverHttp = 1.3;

/** Of the C loop's runs per second, at every load above one client, as JSON and as tensors. */
const leastOfCLoop = 0.97;

/** p99 by p50 at three quarters of the peak. */
const mostTail = 3;

/**
 * @param {{ closed: readonly ServingResult[],
 *   open: readonly import('./serving/openLoop.mjs').OpenLoopResult[] }} report
 * @returns {Target[]}
 */
export function servingTargets({ closed, open }) {
  return [...closed.flatMap(closedTargets), ...open.flatMap(openTargets)];
}

/**
 * @param {ServingResult} result
 * @returns {Target[]}
 */
function closedTargets({ model, title, connections, servers }) {
  const [own] = servers;
  if (!own) return [];
  const subject = `${title}, ${connections} connections`;
  const server = (/** @type {string} */ name) => servers.find((each) => each.name === name);
  const targets = [];
  if (connections === 64) {
    for (const [of, name, least] of servingRatios) {
      const peer = of === model ? server(name) : undefined;
      if (!peer) continue;
      const ratio = peer.cloudeasymlRatio?.median;
      targets.push(atLeastTimes(`${subject}: times the req/s of ${peer.title}`, least, ratio));
    }
    const fastify = server('fastifyOnnxruntime');
    if (fastify && (model === 'softmax' || model === 'mlp')) {
      targets.push(lowerP99(`${subject}: p99 below ${fastify.title}`, own, fastify));
    }
  }
  const socket = server('cloudeasymlSocket');
  if (socket && connections === 64) {
    const what = `${title}, 64 in flight over WebSockets: times the req/s over HTTP`;
    targets.push(atLeastTimes(what, leastOverHttp, socket.httpRatio?.median));
  }
  const floor = server('cLoop');
  if (floor && model === 'convolution' && connections > 1) {
    const what = `${title}, ${connections} connections, JSON: of the C loop's runs per second`;
    targets.push(atLeastTimes(what, leastOfCLoop, floor.cloudeasymlRatio?.median));
  }
  const tensors = server('cloudeasymlTensors');
  if (tensors && model === 'convolution' && connections > 1) {
    const what = `${title}, ${connections} in flight as tensors: of the C loop's runs per second`;
    targets.push(atLeastTimes(what, leastOfCLoop, tensors.cLoopRatio?.median));
  }
  return targets;
}

/**
 * @param {import('./serving/openLoop.mjs').OpenLoopResult} result
 * @returns {Target[]}
 */
function openTargets({ title, server, loads }) {
  const load = loads.find(({ share }) => share === 0.75);
  if (server !== 'cloudeasyml' || !load) return [];
  const what = `${title}, 75 % of the peak: p99 by p50`;
  const expected = `below ${mostTail}×`;
  if (load.refusal) return [{ what, expected, found: '', verdict: 'not measured' }];
  const found = load.latency.p99Us.median / load.latency.p50Us.median;
  const verdict = found < mostTail ? 'pass' : 'miss';
  return [{ what, expected, found: `${found.toFixed(2)}×`, verdict }];
}

/** Of the capacity, answered within the deadline where more arrives than can be done. */
const leastGoodput = 0.9;

/** Of the median refusal. */
const mostRefusalMs = 5;

/**
 * @param {import('./serving/overload.mjs').OverloadResult} overload
 * @returns {Target[]}
 */
export function overloadTargets({ title, loads }) {
  return loads
    .filter(({ share }) => share > 1)
    .flatMap(({ share, ofCapacity, refusalP50Us, refusal }) => {
      const load = `${title}, ${share} times its capacity`;
      const found = refusal ? undefined : ofCapacity.median;
      const ms = refusal ? undefined : refusalP50Us && refusalP50Us.median / 1000;
      return [
        atLeastTimes(`${load}: of the capacity, in time`, leastGoodput, found),
        {
          what: `${load}: p50 of a refusal`,
          expected: `at most ${mostRefusalMs} ms`,
          found: ms === undefined ? '' : `${ms.toFixed(2)} ms`,
          verdict: ms === undefined ? 'not measured' : ms <= mostRefusalMs ? 'pass' : 'miss',
        },
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
