import type { TrainingProgress } from '../plugin/trainingProgress.js';

/** Where progress is shown: a terminal, or a file or pipe. */
export interface ProgressStream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

const barWidth = 24;

/**
 * Shows a training's progress: on a terminal one line that is written over, elsewhere a plain line for
 * each whole percent, so that a log stays short.
 */
export class ProgressLine {
  readonly #stream: ProgressStream;
  #lastPercent = -1;
  #isOpen = false;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  show(progress: TrainingProgress): void {
    const percent = percentOf(progress);
    if (this.#stream.isTTY) {
      const filled = Math.round((percent / 100) * barWidth);
      const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
      const line = `${bar} ${String(percent).padStart(3)} %  ${describe(progress)}`;
      // A line that wraps could not be written over.
      const shown = line.slice(0, (this.#stream.columns ?? 80) - 1);
      this.#stream.write(`\r\x1b[K${shown}`);
      this.#isOpen = true;
    } else if (percent !== this.#lastPercent) {
      this.#stream.write(`${percent} %  ${describe(progress)}\n`);
    }
    this.#lastPercent = percent;
  }

  /** Ends the line, so that what is printed next starts on its own. */
  close(): void {
    if (this.#isOpen) this.#stream.write('\n');
    this.#isOpen = false;
  }
}

function percentOf({ step, total }: TrainingProgress): number {
  return total > 0 ? Math.floor(Math.min(1, Math.max(0, step / total)) * 100) : 0;
}

function describe({ step, total, message, metrics = {} }: TrainingProgress): string {
  const figures = Object.entries(metrics).map(([name, value]) => `${name} ${printFigure(value)}`);
  return [`${step}/${total}`, ...figures, ...(message ? [message] : [])].join('  ');
}

/** A table of metrics, one a line, the names padded to one width. */
export function metricsTable(metrics: Record<string, number>): string {
  const width = Math.max(0, ...Object.keys(metrics).map((name) => name.length));
  return Object.entries(metrics)
    .map(([name, value]) => `  ${name.padEnd(width)}  ${printFigure(value)}\n`)
    .join('');
}

/** Six significant digits, which is more than a metric holds. */
function printFigure(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(6)));
}
