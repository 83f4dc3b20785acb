/**
 * A plugin that fits y = slope · x by least squares in as many steps as it is told, and saves the
 * slope where its load() finds it.
 */
export const learnerSource = `
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BaseModel, InputError, modelDirectory, type PredictionInput, reportProgress } from 'cloudeasyml';

export class Learner extends BaseModel<{ scale?: number }> {
  private slope = 0;
  getMetadata() { return { name: 'learner', version: '1.0.0' }; }
  load(): void {
    this.slope = JSON.parse(readFileSync(path.join(modelDirectory('learner'), 'slope.json'), 'utf8'));
    this.isLoaded = true;
  }
  predict({ data }: PredictionInput) { return { predictions: (data as number) * this.slope }; }
  async train(trainingData: unknown, config: { steps?: number; mood?: string }) {
    const { x, y } = (trainingData ?? { x: [1, 2], y: [2, 4] }) as { x: number[]; y: number[] };
    if (!Array.isArray(x)) throw new InputError('x', 'expected a list of numbers');
    const steps = config.steps ?? 4;
    for (let step = 1; step <= steps; step++) {
      reportProgress({ step, total: steps, message: 'fitting', metrics: { loss: 1 / step } });
    }
    if (config.mood === 'throw') throw new RangeError('it diverged\\nin many lines');
    if (config.mood === 'exit') process.exit(3);
    if (config.mood === 'later') { setImmediate(() => { throw new Error('left behind'); }); await new Promise(() => setInterval(() => {}, 1000)); }
    if (config.mood === 'loop') for (;;) {}
    if (config.mood === 'nothing') return undefined as never;
    if (config.mood === 'text') return { status: 'trained', metrics: { loss: 'low' } } as never;
    const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    const slope = (dot(x, y) / dot(x, x)) * (this.config.scale ?? 1);
    const savedTo = modelDirectory('learner');
    writeFileSync(path.join(savedTo, 'slope.json'), JSON.stringify(slope));
    return { status: 'trained', metrics: { slope, rows: x.length, loss: 0.123456789 }, savedTo, wasLoaded: this.isLoaded };
  }
}
`;
