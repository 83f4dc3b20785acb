import type { Tensor } from 'cloudeasyml';

/** What turns texts into the scores of labels; the plugin serves any of them. */
export interface TextClassifier {
  /** Shown in each answer's metadata. */
  readonly name: string;
  /** One label for each column of the logits. */
  readonly labels: readonly string[];
  /** Whether labels exclude each other (softmax) or each holds or not by itself (sigmoid). */
  readonly exclusive: boolean;
  /** @returns logits of shape [texts, labels], row-major */
  classify(texts: readonly string[]): Float32Array;
  release(): void;
}

/** @returns the probability of each label, from one text's logits */
export function probabilities(logits: Float32Array, exclusive: boolean): number[] {
  if (!exclusive) return Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit)));
  const largest = logits.reduce((max, logit) => Math.max(max, logit), -Infinity);
  const exponentials = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((total, each) => total + each, 0);
  return exponentials.map((each) => each / sum);
}

/**
 * @param rows lists of token ids, one per text
 * @returns the rows padded to the longest with `padding`, [texts, tokens], row-major
 */
export function padRows(rows: readonly (readonly number[])[], padding: number) {
  const width = Math.max(1, ...rows.map((row) => row.length));
  const ids = new BigInt64Array(rows.length * width).fill(BigInt(padding));
  rows.forEach((row, index) => {
    row.forEach((id, column) => {
      ids[index * width + column] = BigInt(id);
    });
  });
  return { ids, dims: [rows.length, width] };
}

/** @returns a model's logits, which have to be float32 */
export function floatsOf(logits: Tensor | undefined): Float32Array {
  if (logits?.data instanceof Float32Array) return logits.data;
  throw new Error(`Expected the model's logits to be float32 but received ${logits?.type}.`);
}
