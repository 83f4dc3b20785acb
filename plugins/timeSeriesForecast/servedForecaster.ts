import { InferenceSession, type SessionOptions } from 'cloudeasyml';
import { lastWindow, type Shape, scaleOf, shortestHistory, toOnnx } from './autoregression.js';
import { errorGrowth, halfWidth } from './interval.js';
import { Rollout } from './rollout.js';
import type { SavedModel } from './savedModel.js';

/** What is asked for one series. */
export interface ForecastTask {
  /** At least {@link ServedForecaster.shortestHistory} observations. */
  history: readonly number[];
  horizon: number;
  /** The probability with which the interval around a forecast should hold what comes. */
  interval: number | undefined;
}

/** One step's forecast, and its interval where one was asked for. */
export interface ForecastPoint {
  value: number;
  lower?: number;
  upper?: number;
}

/** A trained model, run by the engine. */
export class ServedForecaster {
  readonly shape: Shape;
  /** Observations that a history has at least. */
  readonly shortestHistory: number;
  readonly #session: InferenceSession;
  readonly #errorQuantiles: readonly number[];
  readonly #errorGrowth: readonly number[];

  private constructor(session: InferenceSession, model: SavedModel, maxHorizon: number) {
    this.#session = session;
    this.shape = { season: model.season, window: model.coefficients.length };
    this.shortestHistory = shortestHistory(model.season);
    this.#errorQuantiles = model.errorQuantiles;
    this.#errorGrowth = errorGrowth(model.coefficients, maxHorizon);
  }

  static async create(
    model: SavedModel,
    maxHorizon: number,
    options: SessionOptions,
  ): Promise<ServedForecaster> {
    const session = await InferenceSession.create(toOnnx(model.coefficients), options);
    return new ServedForecaster(session, model, maxHorizon);
  }

  /** Forecasts one series, each step when it is asked for. */
  *steps(task: ForecastTask): Generator<ForecastPoint> {
    const rollout = new Rollout(this.#session, [lastWindow(task.history, this.shape)]);
    const pointAt = this.#pointsOf(task);
    for (let step = 0; step < task.horizon; step++) yield pointAt(step, rollout.step(1)[0]!);
  }

  /** Forecasts several series as the rows of one run per step. */
  forecast(tasks: readonly ForecastTask[]): ForecastPoint[][] {
    // Those with the most steps first, so that the rows still running are always the first ones.
    const ordered = tasks
      .map((task) => ({ task, points: [] as ForecastPoint[], pointAt: this.#pointsOf(task) }))
      .sort((a, b) => b.task.horizon - a.task.horizon);
    const windows = ordered.map(({ task }) => lastWindow(task.history, this.shape));
    const rollout = new Rollout(this.#session, windows);
    let rows = ordered.length;
    for (let step = 0; rows > 0; step++) {
      const next = rollout.step(rows);
      for (let row = 0; row < rows; row++) {
        const { points, pointAt } = ordered[row]!;
        points.push(pointAt(step, next[row]!));
      }
      while (rows > 0 && ordered[rows - 1]!.task.horizon === step + 1) rows--;
    }
    const byTask = new Map(ordered.map(({ task, points }) => [task, points]));
    return tasks.map((task) => byTask.get(task)!);
  }

  release(): void {
    this.#session.release();
  }

  #pointsOf({ history, interval }: ForecastTask): (step: number, value: number) => ForecastPoint {
    if (interval === undefined) return (_step, value) => ({ value });
    const firstStep = halfWidth(this.#errorQuantiles, interval) * scaleOf(history, this.shape);
    return (step, value) => {
      const half = firstStep * this.#errorGrowth[step]!;
      return { value, lower: value - half, upper: value + half };
    };
  }
}
