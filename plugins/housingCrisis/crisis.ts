import { column, type Examples } from './features.js';
import { mean, quantile } from './statistics.js';

/** Values at even steps from the least (0 %) to the greatest (100 %) of a distribution. */
type Quantiles = number[];

const quantileSteps = 20;

/** What a market of ordinary health looks like: the distributions of the training data. */
export interface MarketProfile {
  price: Quantiles;
  crime: Quantiles;
  hardship: Quantiles;
}

/** How much each signal of a crisis counts; only their proportions matter. */
export interface SignalWeights {
  priceDrop: number;
  distress: number;
  crime: number;
  hardship: number;
}

export interface CrisisOptions {
  weights: SignalWeights;
  /** The least score of the level MEDIUM, and the least of a signal that earns a recommendation. */
  mediumFrom: number;
  /** The least score of the level HIGH. */
  highFrom: number;
}

export interface CrisisReport {
  crisisLevel: 'LOW' | 'MEDIUM' | 'HIGH';
  /** 0: no signal of a crisis, 1: all of them in full. */
  crisisScore: number;
  recommendations: string[];
  metrics: {
    medianPrice: number;
    baselineMedianPrice: number;
    /** 1 - medianPrice / baselineMedianPrice. */
    priceDrop: number;
    /** The share of the rows that are cheaper than a quarter of the training data, 0 to 1. */
    distressedShare: number;
    /** Mean rank of the rows' crime rates among the training data's, 0 to 1. */
    crimePercentile: number;
    /** Mean rank of the rows' shares of poorer households (`lstat`), 0 to 1. */
    hardshipPercentile: number;
  };
}

/** The price drop that counts in full; Boston's own cheapest quarter is 20 to 76 % below its median. */
const fullPriceDrop = 0.5;

const advice: Record<keyof SignalWeights, string> = {
  priceDrop:
    'Prices are far below the usual: review mortgages and assessments here for negative equity.',
  distress:
    'Many homes fall into the cheapest quarter: direct foreclosure prevention and repair grants here.',
  crime: 'Crime is well above the usual: pair housing measures with public safety programmes.',
  hardship:
    'Households are poorer than usual: extend rent and mortgage assistance to keep them housed.',
};

export function profileMarket({ rows, prices }: Examples): MarketProfile {
  const quantiles = (values: number[]): Quantiles =>
    Array.from({ length: quantileSteps + 1 }, (_, step) => quantile(values, step / quantileSteps));
  return {
    price: quantiles(prices),
    crime: quantiles(column(rows, 'crim')),
    hardship: quantiles(column(rows, 'lstat')),
  };
}

/**
 * Judges a market from a sample of its homes. Four signals, each 0 in an ordinary market and 1 in the
 * worst, are averaged by weight:
 *
 * - price drop: how far the median price is below the training data's, in full at one half;
 * - distress: how many more homes than the usual quarter are in the cheapest quarter;
 * - crime and hardship: how far the mean rank of `crim` and of `lstat` is above the middle.
 *
 * @param rows features of shape [homes, 13]
 * @param prices predicted, one for each row
 */
export function detectCrisis(
  { rows, prices }: Examples,
  market: MarketProfile,
  { weights, mediumFrom, highFrom }: CrisisOptions,
): CrisisReport {
  const medianPrice = quantile(prices, 0.5);
  const baselineMedianPrice = quantile(market.price, 0.5);
  const lowerQuartile = quantile(market.price, 0.25);
  const metrics = {
    medianPrice,
    baselineMedianPrice,
    priceDrop: 1 - medianPrice / baselineMedianPrice,
    distressedShare: mean(prices.map((price) => Number(price < lowerQuartile))),
    crimePercentile: mean(column(rows, 'crim').map((value) => rank(value, market.crime))),
    hardshipPercentile: mean(column(rows, 'lstat').map((value) => rank(value, market.hardship))),
  };
  const signals: [keyof SignalWeights, number][] = [
    ['priceDrop', portion(metrics.priceDrop, 0, fullPriceDrop)],
    ['distress', portion(metrics.distressedShare, 0.25, 1)],
    ['crime', portion(metrics.crimePercentile, 0.5, 1)],
    ['hardship', portion(metrics.hardshipPercentile, 0.5, 1)],
  ];
  const totalWeight = signals.reduce((sum, [name]) => sum + weights[name], 0);
  const crisisScore =
    signals.reduce((sum, [name, signal]) => sum + weights[name] * signal, 0) / totalWeight;
  const strong = signals.filter(([, signal]) => signal >= mediumFrom);
  strong.sort(([a, x], [b, y]) => weights[b] * y - weights[a] * x);
  const recommendations = strong.map(([name]) => advice[name]);
  if (recommendations.length === 0) {
    recommendations.push('No signal of a crisis is strong: keep watching prices and crime.');
  }
  let crisisLevel: CrisisReport['crisisLevel'] = 'LOW';
  if (crisisScore >= mediumFrom) crisisLevel = 'MEDIUM';
  if (crisisScore >= highFrom) crisisLevel = 'HIGH';
  return { crisisLevel, crisisScore, recommendations, metrics };
}

/** How far `value` has gone from `from` to `to`, 0 to 1. */
function portion(value: number, from: number, to: number): number {
  return Math.min(1, Math.max(0, (value - from) / (to - from)));
}

/** @returns the share of a distribution that is below a value, interpolated, 0 to 1 */
function rank(value: number, quantiles: Quantiles): number {
  const above = quantiles.findIndex((quantile) => quantile > value);
  if (above === -1) return 1;
  if (above === 0) return 0;
  const floor = quantiles[above - 1]!;
  return (above - 1 + (value - floor) / (quantiles[above]! - floor)) / (quantiles.length - 1);
}
