/** Finding a plugin's best setting by measuring few out of many. */

/** What the tuner turns. The first two hold for the server, the others for the plugin. */
export interface TunedSetting {
  workers: number;
  intraOpThreads: number;
  /** Rows. */
  maxBatchSize: number;
  maxQueueDelayUs: number;
}

/** A setting under a number of connections, each of which sends when its answer has come. */
export interface Measurement {
  setting: TunedSetting;
  connections: number;
  requestsPerSecond: number;
  p50Us: number;
  p99Us: number;
  failures: number;
}

/** How cores are shared out: workers × threads of one run. */
export interface ThreadShare {
  workers: number;
  intraOpThreads: number;
}

/**
 * Shares whose product does not exceed the cores: powers of two, and those that leave nothing over.
 *
 * @param fixedIntraOpThreads where the plugin's own settings fix them
 */
export function threadShares(cores: number, fixedIntraOpThreads?: number): ThreadShare[] {
  const steps = powersOfTwo(cores);
  const shares = new Map<string, ThreadShare>();
  for (const intraOpThreads of fixedIntraOpThreads ? [fixedIntraOpThreads] : steps) {
    const most = Math.max(1, Math.floor(cores / intraOpThreads));
    // One core fewer than there are leaves one to the event loop.
    for (const workers of [...steps, most, Math.floor((cores - 1) / intraOpThreads)]) {
      if (workers < 1 || workers > most) continue;
      shares.set(`${workers}×${intraOpThreads}`, { workers, intraOpThreads });
    }
  }
  return [...shares.values()].sort(
    (a, b) => a.workers * a.intraOpThreads - b.workers * b.intraOpThreads || a.workers - b.workers,
  );
}

function powersOfTwo(most: number): number[] {
  const powers = [];
  for (let power = 1; power <= most; power *= 2) powers.push(power);
  return powers;
}

/**
 * Measurements that no other beats in both throughput and p99, from the lowest latency to the highest
 * throughput. Those with failed requests don't count.
 */
export function frontierOf(measurements: readonly Measurement[]): Measurement[] {
  const sound = measurements
    .filter(({ failures }) => failures === 0)
    .sort((a, b) => a.p99Us - b.p99Us || b.requestsPerSecond - a.requestsPerSecond);
  const frontier: Measurement[] = [];
  for (const one of sound) {
    const fastest = frontier.at(-1)?.requestsPerSecond ?? 0;
    if (one.requestsPerSecond > fastest) frontier.push(one);
  }
  return frontier;
}

/** The most requests per second within the limit, or undefined where nothing keeps it. */
export function bestWithin(
  measurements: readonly Measurement[],
  p99LimitUs: number,
): Measurement | undefined {
  return frontierOf(measurements).findLast(({ p99Us }) => p99Us <= p99LimitUs);
}

export interface SearchOptions {
  cores: number;
  p99LimitUs: number;
  /** Where the search starts: the plugin's own batching. */
  batching: { maxBatchSize: number; maxQueueDelayUs: number };
  fixedIntraOpThreads?: number | undefined;
  /** Puts a load of some seconds on a server with this setting. */
  measure: (setting: TunedSetting, connections: number) => Promise<Measurement>;
  /** Milliseconds that the search may take; it ends after the measurement that passes them. */
  budgetMs: number;
}

export interface SearchResult {
  measurements: Measurement[];
  /** Measured again at the end, several times in turn with those that came next; the median. */
  best: Measurement | undefined;
  /** Whether time ran out before the grid was through. */
  cutShort: boolean;
}

const connectionSteps = [1, 8, 32, 128, 256];
const coarseBatchSizes = [1, 8, 32, 128];
const coarseDelaysUs = [0, 200, 1000, 5000];
/** Share of the time that is kept for measuring the best again. */
const finalShare = 0.25;
const finalists = 3;
const finalRounds = 3;
/** A gain below this is noise. */
const smallestGain = 1.02;

/**
 * Searches workers × intra-op threads × maxBatchSize × maxQueueDelayUs for the most requests per second
 * within a p99: coarsely, one axis after the other from the best so far, then in finer steps around it,
 * then the best few again in turn. Each setting is measured under a rising number of connections until
 * its p99 passes the limit or more connections bring no more.
 */
export async function search(options: SearchOptions): Promise<SearchResult> {
  const { cores, p99LimitUs, batching, fixedIntraOpThreads, measure, budgetMs } = options;
  const start = Date.now();
  const searchEnd = start + budgetMs * (1 - finalShare);
  const measurements: Measurement[] = [];
  const seen = new Set<string>();
  let cutShort = false;

  // The first measurement is made whatever the time, so that there is a figure.
  const isOver = () => {
    cutShort ||= measurements.length > 0 && Date.now() >= searchEnd;
    return cutShort;
  };
  const tryAll = async (settings: readonly TunedSetting[]) => {
    for (const setting of settings) {
      const key = JSON.stringify(setting);
      if (seen.has(key) || isOver()) continue;
      seen.add(key);
      await measureRising(setting, p99LimitUs, measure, measurements, isOver);
    }
  };
  const centre = () => bestWithin(measurements, p99LimitUs)?.setting ?? lowestP99(measurements);

  const shares = threadShares(cores, fixedIntraOpThreads);
  await tryAll(shares.map((share) => ({ ...share, ...batching })));
  // A plugin that does not batch would answer otherwise if it did.
  const axes = batching.maxBatchSize > 0 ? (['maxBatchSize', 'maxQueueDelayUs'] as const) : [];
  for (const values of [coarseValues(p99LimitUs), fineValues]) {
    for (const axis of axes) {
      const from = centre();
      if (from) await tryAll(values(from)[axis].map((value) => ({ ...from, [axis]: value })));
    }
  }
  const from = centre();
  // What suits other shares may have changed with the batching.
  if (from) await tryAll(shares.map((share) => ({ ...from, ...share })));

  const best = await measureAgain(measurements, p99LimitUs, measure, start + budgetMs);
  return { measurements, best, cutShort };
}

type Axes = Record<'maxBatchSize' | 'maxQueueDelayUs', number[]>;

function coarseValues(p99LimitUs: number): (from: TunedSetting) => Axes {
  // A request that waits half its time for others leaves too little for the rest.
  const delays = coarseDelaysUs.filter((delay) => delay <= p99LimitUs / 2);
  return () => ({ maxBatchSize: coarseBatchSizes, maxQueueDelayUs: delays });
}

function fineValues({ maxBatchSize, maxQueueDelayUs }: TunedSetting): Axes {
  const around = (value: number) => [Math.round(value / 2), Math.round(value * 2)];
  return {
    maxBatchSize: around(maxBatchSize).filter((size) => size >= 1),
    maxQueueDelayUs: maxQueueDelayUs > 0 ? around(maxQueueDelayUs) : [],
  };
}

async function measureRising(
  setting: TunedSetting,
  p99LimitUs: number,
  measure: SearchOptions['measure'],
  measurements: Measurement[],
  isOver: () => boolean,
): Promise<void> {
  let most = 0;
  for (const connections of connectionSteps) {
    if (isOver()) return;
    const one = await measure(setting, connections);
    measurements.push(one);
    if (one.failures > 0 || one.p99Us > p99LimitUs) return;
    if (one.requestsPerSecond < most * smallestGain) return;
    most = Math.max(most, one.requestsPerSecond);
  }
}

function lowestP99(measurements: readonly Measurement[]): TunedSetting | undefined {
  return frontierOf(measurements)[0]?.setting;
}

/**
 * One short measurement favours the lucky. The best few settings take turns, so that what else the
 * machine does meets all of them.
 */
async function measureAgain(
  measurements: Measurement[],
  p99LimitUs: number,
  measure: SearchOptions['measure'],
  deadline: number,
): Promise<Measurement | undefined> {
  const within = measurements.filter(
    ({ failures, p99Us }) => failures === 0 && p99Us <= p99LimitUs,
  );
  const fastest = within.sort((a, b) => b.requestsPerSecond - a.requestsPerSecond);
  const candidates: Measurement[] = [];
  for (const one of fastest) {
    const isNew = !candidates.some(({ setting }) => setting === one.setting);
    if (isNew && candidates.length < finalists) candidates.push(one);
  }
  const rounds = candidates.map((candidate) => [candidate]);
  for (let round = 0; round < finalRounds && candidates.length > 1; round++) {
    for (const [index, { setting, connections }] of candidates.entries()) {
      if (Date.now() >= deadline) break;
      rounds[index]?.push(await measure(setting, connections));
    }
  }
  return bestWithin(rounds.map(medianOf), p99LimitUs) ?? candidates[0];
}

/** @param measurements of one setting, at least one */
function medianOf(measurements: readonly Measurement[]): Measurement {
  const middle = (figure: (one: Measurement) => number) => {
    const sorted = measurements.map(figure).sort((a, b) => a - b);
    return sorted[sorted.length >> 1]!;
  };
  return {
    ...measurements[0]!,
    requestsPerSecond: middle((one) => one.requestsPerSecond),
    p50Us: middle((one) => one.p50Us),
    p99Us: middle((one) => one.p99Us),
    failures: middle((one) => one.failures),
  };
}
