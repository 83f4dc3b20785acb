import {
  BaseModel,
  InferenceSession,
  type PartialPredictionOutput,
  type PredictionInput,
  StepBatcher,
  type StreamContext,
  Tensor,
  type TrainingResult,
} from 'cloudeasyml';

interface Config {
  /** A .onnx file, `state` [batch, width] → `next` [batch, width]. */
  model: string;
}

/** Numbers of the state that an output shows. */
const shown = 4;

/**
 * Goes on from a state step by step, each a run of a small network, and gives out a little of each: what a
 * language model does, with next to nothing of its cost.
 */
export class StepsModel extends BaseModel<Config> {
  #session: InferenceSession | undefined;
  #batcher = new StepBatcher((states: Float32Array[]) => this.#run(states), { maxBatchSize: 128 });

  getMetadata() {
    return { name: 'steps', version: '1.0.0', description: 'Counts for the benchmark of streams' };
  }

  async load(): Promise<void> {
    this.#session = await InferenceSession.create(this.config.model, this.sessionOptions);
    this.isLoaded = true;
  }

  predict(): PartialPredictionOutput {
    throw new Error('The model answers in streams.');
  }

  /** `data` is what each number of the first state is, `options.steps` how many outputs there are. */
  override async *stream(
    inputs: AsyncIterable<PredictionInput>,
    { options }: StreamContext,
  ): AsyncGenerator<PartialPredictionOutput> {
    for await (const { data } of inputs) {
      let state: Float32Array = new Float32Array(this.#width()).fill(Number(data));
      for (let step = 0; step < Number(options.steps); step++) {
        state = await this.#batcher.run(state);
        yield { predictions: Array.from(state.subarray(0, shown)) };
      }
    }
  }

  train(): TrainingResult {
    return { status: 'There is nothing to train.' };
  }

  override unload(): void {
    this.#session?.release();
    super.unload();
  }

  #width(): number {
    return Number(this.#session?.inputs[0]?.dims[1]);
  }

  #run(states: Float32Array[]): Float32Array[] {
    const width = this.#width();
    const joined = new Float32Array(states.length * width);
    for (const [row, state] of states.entries()) joined.set(state, row * width);
    const { next } = this.#session!.run({
      state: new Tensor('float32', joined, [states.length, width]),
    });
    const values = next!.data as Float32Array;
    return states.map((_, row) => values.slice(row * width, (row + 1) * width));
  }
}
