import { setTimeout as sleep } from 'node:timers/promises';
import { type BatchWorker, Notice } from '../engine/batchWorker.js';
import type { CodeGuard } from './codeGuard.js';
import type { HostedModel } from './hostedModel.js';
import type { HostedStream } from './hostedStream.js';

/** How long a plugin's code may take to hear that a request has ended. */
const abortMs = 1_000;

interface OpenStream {
  model: HostedModel;
  hosted: HostedStream;
}

/** One worker's streams. It passes the engine's notices on to them, and to batches. */
export class OpenStreams {
  readonly #engine: BatchWorker;
  readonly #guard: CodeGuard;
  readonly #modelOf: (handle: number) => HostedModel | undefined;
  readonly #onInterrupted: (model: HostedModel) => void;
  readonly #open = new Map<number, OpenStream>();
  #current: HostedStream | undefined;
  #notice = 0;
  /** Passes the current notice on. A closure for each would cost more than the call. */
  readonly #pass = () => this.#current!.onNotice(this.#notice);

  /** @param onInterrupted called when a stream's code had to be interrupted */
  constructor(
    engine: BatchWorker,
    guard: CodeGuard,
    modelOf: (handle: number) => HostedModel | undefined,
    onInterrupted: (model: HostedModel) => void,
  ) {
    this.#engine = engine;
    this.#guard = guard;
    this.#modelOf = modelOf;
    this.#onInterrupted = onInterrupted;
  }

  takeNotices(): void {
    const notices = this.#engine.takeNotices();
    for (let at = 0; at < notices.length; at += 3) {
      const stream = notices[at]!;
      const notice = notices[at + 2]!;
      if (notice & Notice.requestsEnded) {
        this.#onRequestsEnded(notices[at + 1]!);
        continue;
      }
      if (notice & Notice.opened) {
        this.#start(stream, notices[at + 1]!, notice);
        continue;
      }
      this.#current = this.#open.get(stream)?.hosted;
      this.#notice = notice;
      if (this.#current) this.#run(stream, this.#pass);
    }
  }

  /** Resolves when the code of a model's streams has ended. */
  async ended(model: HostedModel): Promise<void> {
    const own = [...this.#open.values()].filter((stream) => stream.model === model);
    await Promise.all(own.map(({ hosted }) => hosted.ended));
  }

  /** Lets the code of stopped streams end, for that long. */
  async drain(ms: number): Promise<void> {
    for (const until = performance.now() + ms; this.#open.size > 0 && performance.now() < until; ) {
      this.takeNotices();
      await sleep(1);
    }
  }

  #onRequestsEnded(handle: number): void {
    const model = this.#modelOf(handle);
    if (!model?.isWatched) return;
    if (!this.#guard.runFor(abortMs, () => model.onRequestsEnded())) return;
    model.abandonBatch();
    this.#onInterrupted(model);
  }

  #start(stream: number, handle: number, notice: number): void {
    const model = this.#modelOf(handle);
    if (!model) {
      // Unhosted meanwhile.
      const detail = 'The worker gave the deployment up before the stream could begin.';
      this.#engine.failStream(stream, 'deployment_unavailable', detail, '', 0, 0);
      return;
    }
    const enter = (code: () => void) => this.#run(stream, code);
    const hosted = model.openStream(stream, (notice & Notice.binary) !== 0, enter);
    this.#open.set(stream, { model, hosted });
    void hosted.ended.then(() => this.#open.delete(stream));
    this.#run(stream, () => hosted.start());
  }

  #run(stream: number, code: () => void): void {
    if (!this.#guard.runStep(stream, code)) return;
    const open = this.#open.get(stream);
    if (!open) return;
    open.hosted.onInterrupted();
    this.#onInterrupted(open.model);
  }
}
