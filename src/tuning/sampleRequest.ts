import { InferenceSession, type ValueInfo } from '../engine/index.js';
import { CloudEasyMLError } from '../errors.js';

/**
 * A body of POST /predict/{deploymentId} with random numbers for each input of a model without code: one
 * row where the first axis is open, else the whole tensor.
 *
 * @param modelFile the .onnx file
 * @throws CloudEasyMLError bad_request where another axis is open, or an input holds no numbers
 */
export async function randomRequest(modelFile: string): Promise<string> {
  const session = await InferenceSession.create(modelFile);
  const inputs = session.inputs.map((input): [string, unknown] => [input.name, valuesOf(input)]);
  session.release();
  const [only] = inputs;
  const data = inputs.length === 1 && only ? only[1] : Object.fromEntries(inputs);
  return JSON.stringify({ data });
}

function valuesOf({ name, type, dims }: ValueInfo): unknown {
  const fixed = dims.slice(1).every((length) => typeof length === 'number');
  if (!fixed || type === 'string') {
    const shape = `${type} [${dims.map((length) => length ?? '?').join(', ')}]`;
    throw new CloudEasyMLError(
      'bad_request',
      `Random rows can't be made for the input ${name}, ${shape}: expected numbers and fixed lengths ` +
        'behind the batch axis. Give a request with --data file.json.',
    );
  }
  const value = () => {
    if (type === 'bool') return Math.random() < 0.5;
    return /^(float|bfloat)/.test(type)
      ? Math.floor(Math.random() * 10_000) / 10_000
      : Math.floor(Math.random() * 10);
  };
  const nested = (lengths: readonly (number | string | null)[]): unknown => {
    const [length, ...rest] = lengths;
    if (length === undefined) return value();
    return Array.from({ length: typeof length === 'number' ? length : 1 }, () => nested(rest));
  };
  return nested(dims);
}
