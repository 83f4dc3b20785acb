import { availableParallelism } from 'node:os';

/**
 * What is measured, how often and for how long. A case is one way of calling one model.
 *
 * @typedef {object} Plan
 * @property {EnginePlan} engine
 * @property {WorkloadPlan[]} serving
 * @property {StreamPlan} streams
 * @property {OverloadPlan} overload
 *
 * @typedef {object} EnginePlan
 * @property {{ models?: string[], rounds: number, secondsPerCase: number }} calls all models where none
 *   are named
 * @property {{ types?: string[], rounds: number, secondsPerCase: number }} types
 * @property {{ models: string[], workers: number[], rounds: number, seconds: number }} sharing
 *
 * @typedef {object} WorkloadPlan
 * @property {string} workload its name
 * @property {ClosedLoad[]} closed
 * @property {OpenLoad} [open]
 *
 * @typedef {object} ClosedLoad
 * @property {number} connections
 * @property {number} rounds
 * @property {number} seconds of each server in a round, a whole number
 * @property {number} warmUpSeconds of each server before the first round
 *
 * @typedef {object} OpenLoad
 * @property {number[]} shares of the peak, ascending
 * @property {number} rounds
 * @property {number} seconds of each share in a round
 * @property {string[]} servers their names; each gets shares of its own peak
 * @property {string} [alongside] one that gets the same arrivals as CloudEasyML: tails that it has too are
 *   the machine's
 *
 * @typedef {object} StreamPlan
 * @property {number[]} streams open at once, ascending
 * @property {number} outputs of each stream
 * @property {number} rounds
 * @property {number} seconds of each number of streams in a round
 * @property {number} warmUpSeconds of each before the first round
 * @property {{ connections: number, rounds: number }} idle
 *
 * @typedef {object} OverloadPlan
 * @property {number[]} shares of the capacity, ascending
 * @property {number} rounds
 * @property {number} seconds of each share in a round
 */

const cores = availableParallelism();
const compared = ['cloudeasyml', 'fastifyOnnxruntime'];

/** @type {(connections: number, rounds: number, seconds: number) => ClosedLoad} */
const closed = (connections, rounds, seconds) => ({
  connections,
  rounds,
  seconds,
  warmUpSeconds: 1,
});

/** @type {(workload: string, rounds: number, seconds: number, servers: string[]) => OpenLoad} */
const open = (workload, rounds, seconds, servers) => ({
  shares: [0.25, 0.5, 0.75, 0.9],
  rounds,
  seconds,
  servers,
  // With bodies this small it is the faster one, and can take CloudEasyML's arrivals.
  ...(workload === 'softmax' && { alongside: 'bareUws' }),
});

/** @type {(rounds: number, seconds: number, idleRounds: number) => StreamPlan} */
const streams = (rounds, seconds, idleRounds) => ({
  streams: [1, 16, 128],
  outputs: 32,
  rounds,
  seconds,
  warmUpSeconds: 0.5,
  idle: { connections: 1000, rounds: idleRounds },
});

/** @type {(rounds: number, seconds: number) => OverloadPlan} */
const overload = (rounds, seconds) => ({ shares: [1, 1.5, 2.5], rounds, seconds });

/** 1, 2, 4, … and the last. @param {number} last */
function doublings(last) {
  const counts = [];
  for (let count = 1; count < last; count *= 2) counts.push(count);
  return [...counts, last];
}

/** What matters, in about two minutes. @type {Plan} */
const quick = {
  engine: {
    calls: { models: ['softmax', 'mlp', 'identity'], rounds: 2, secondsPerCase: 0.3 },
    types: { types: ['float32', 'int64', 'bool', 'string'], rounds: 1, secondsPerCase: 0.05 },
    sharing: { models: ['mlp'], workers: [1, cores], rounds: 1, seconds: 0.5 },
  },
  serving: [
    {
      workload: 'softmax',
      closed: [closed(64, 2, 1)],
      open: open('softmax', 1, 2, ['cloudeasyml']),
    },
    { workload: 'mlp', closed: [closed(64, 2, 1)] },
    { workload: 'sentiment', closed: [closed(64, 1, 2)] },
    { workload: 'convolution', closed: [closed(8, 1, 5)] },
  ],
  streams: streams(1, 0.5, 1),
  overload: overload(1, 3),
};

/** About ten minutes. @type {Plan} */
const standard = {
  engine: {
    calls: { rounds: 3, secondsPerCase: 0.4 },
    types: { rounds: 1, secondsPerCase: 0.1 },
    sharing: {
      models: ['mlp', 'dense10ms'],
      workers: [...new Set([1, cores, 2 * cores])],
      rounds: 2,
      seconds: 1,
    },
  },
  serving: [
    ...['softmax', 'mlp'].map((workload) => ({
      workload,
      closed: [closed(64, 3, 2), closed(1, 2, 1), closed(8, 2, 1), closed(256, 2, 1)],
      open: open(workload, 2, 2, compared),
    })),
    { workload: 'sentiment', closed: [closed(64, 3, 2), closed(8, 2, 1)] },
    { workload: 'textRecognition', closed: [closed(8, 2, 3)] },
    { workload: 'convolution', closed: [closed(8, 3, 3), closed(64, 2, 10)] },
  ],
  streams: streams(2, 2, 3),
  overload: overload(2, 5),
};

/** Everything. @type {Plan} */
const full = {
  engine: {
    calls: { rounds: 5, secondsPerCase: 0.4 },
    types: { rounds: 3, secondsPerCase: 0.2 },
    sharing: {
      models: ['mlp', 'dense1ms', 'dense10ms'],
      workers: doublings(2 * cores),
      rounds: 3,
      seconds: 1,
    },
  },
  serving: ['softmax', 'mlp', 'sentiment', 'textRecognition', 'convolution'].map((workload) => ({
    workload,
    closed: [1, 8, 64, 256].map((connections) => closed(connections, 5, 4)),
    open: open(workload, 3, 10, compared),
  })),
  streams: streams(5, 4, 5),
  overload: overload(5, 10),
};

/**
 * @param {import('./options.mjs').Mode} mode
 * @returns {Plan}
 */
export function planFor(mode) {
  return { quick, standard, full }[mode];
}
