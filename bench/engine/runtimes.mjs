/**
 * What this package's sessions and onnxruntime-node's have in common, as far as the bench calls them.
 *
 * @typedef {{ type: string, data: any, dims: readonly number[], size: number }} AnyTensor
 * @typedef {Record<string, AnyTensor>} Feeds
 *
 * @typedef {object} Runtime
 * @property {(model: string) => Promise<{ run: (feeds: Feeds, owned?: Feeds) =>
 *   Feeds | Promise<Feeds> }>} open a session on one thread
 * @property {(type: string, data: any, dims: readonly number[]) => AnyTensor} tensor
 */

/** By the name that a timing process is given. @type {Record<string, () => Promise<Runtime>>} */
export const runtimes = {
  cloudeasyml: async () => {
    const { InferenceSession, Tensor } = /** @type {any} */ (await import('cloudeasyml'));
    return {
      open: (model) => InferenceSession.create(model),
      tensor: (type, data, dims) => new Tensor(type, data, dims),
    };
  },
  onnxruntimeNode: async () => {
    const { InferenceSession, Tensor } = /** @type {any} */ (await import('onnxruntime-node'));
    return {
      open: (model) =>
        InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 }),
      tensor: (type, data, dims) => new Tensor(type, data, dims),
    };
  },
};

/** @param {string | undefined} name */
export async function openRuntime(name) {
  const runtime = runtimes[name ?? ''];
  if (!runtime) throw new Error(`Expected cloudeasyml or onnxruntimeNode but received "${name}".`);
  return runtime();
}
