/** What requests and answers may take of the process's memory. */
import { addon } from './addon.js';

export interface MemoryLimits {
  /** Bytes of requests and of answers that wait to be read; one user may have a quarter of them. */
  maxHeldBytes: number;
  /** Bytes of one answer. */
  answerLimit: number;
}

/** Sets the process's limits. `answerLimit` holds for deployments that are made afterwards. */
export function limitMemory({ maxHeldBytes, answerLimit }: MemoryLimits): void {
  addon.limitMemory(maxHeldBytes, answerLimit);
}
