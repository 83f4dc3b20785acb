import { BaseModel, InferenceSession, type PredictionInput, Tensor } from 'cloudeasyml';

interface Config {
  /** The .onnx file. */
  model: string;
}

/** Runs a model of one float32 input on rows of numbers. */
export default class Session extends BaseModel<Config> {
  #session: InferenceSession | undefined;

  getMetadata() {
    return { name: 'session', version: '1.0.0' };
  }

  async load(): Promise<void> {
    this.#session = await InferenceSession.create(this.config.model, this.sessionOptions);
    this.isLoaded = true;
  }

  predict({ data }: PredictionInput) {
    const session = this.#session!;
    const rows = data as number[][];
    const dims = [rows.length, rows[0]!.length];
    const x = new Tensor('float32', Float32Array.from(rows.flat()), dims);
    const outputs = session.run({ [session.inputs[0]!.name]: x });
    return { predictions: outputs[session.outputs[0]!.name] };
  }

  override unload(): void {
    this.#session?.release();
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}
