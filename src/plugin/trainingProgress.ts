/** One step of a training, as `npm run train` shows it. */
export interface TrainingProgress {
  /** Steps done of `total`. */
  step: number;
  total: number;
  message?: string;
  metrics?: Record<string, number>;
}

let listener: ((progress: TrainingProgress) => void) | undefined;

/** Called by a plugin's `train()` as it goes on; without a training that listens it does nothing. */
export function reportProgress(progress: TrainingProgress): void {
  listener?.(progress);
}

/** Sets the listener for this thread's progress. One training runs per thread. */
export function onProgress(next: ((progress: TrainingProgress) => void) | undefined): void {
  listener = next;
}
