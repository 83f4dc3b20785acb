import { Tensor } from 'onnxruntime-node';

/**
 * @param {import('onnxruntime-node').InferenceSession} session from `input` [rows, width] to `output`
 * @param {number[][]} rows
 * @returns {Promise<number[][]>} the output's rows
 */
export async function predict(session, rows) {
  const width = rows[0]?.length ?? 0;
  const input = new Tensor('float32', Float32Array.from(rows.flat()), [rows.length, width]);
  const { output } = await session.run({ input });
  const values = /** @type {Float32Array} */ (output?.data);
  const outputWidth = values.length / rows.length;
  return rows.map((_, row) =>
    Array.from(values.subarray(row * outputWidth, (row + 1) * outputWidth)),
  );
}
