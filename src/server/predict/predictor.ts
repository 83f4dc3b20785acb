import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { Principal } from '../../auth/principal.js';
import type { DeploymentManager } from '../../deployment/deploymentManager.js';
import {
  Admission,
  type Completion,
  type CompletionListener,
  FrontEnd,
  Outcome,
  routeByBody,
} from '../../engine/frontEnd.js';
import { CloudEasyMLError, errorTable } from '../../errors.js';
import type { RequestAccounts } from '../../usage/requestAccounts.js';
import { mediaTypeOf } from '../http/body.js';
import { acceptedEncoding, isWorthCompressing } from '../http/compression.js';
import { headerKeys } from '../http/headerKeys.js';
import type { Pipeline } from '../http/pipeline.js';
import { priorityOf, timeoutOf } from './envelope.js';
import { eventStreamHeaders, heartbeat, viewOf, wantsEvents, writeEvents } from './eventStream.js';
import { ForeignBody } from './foreignBody.js';
import { Phase, PredictSlot, type SlotListener } from './predictSlot.js';
import { draining, failureOf, keyEnded, refusalError } from './refusals.js';
import { ServerTimingWriter } from './serverTiming.js';

const tickMs = 1000;
/** Seconds without an event after which a heartbeat is sent. */
const heartbeatSeconds = 15;
/** uWebSockets.js gives a client that reads nothing ten seconds from the last write. */
const heldHeartbeatSeconds = 4;

/**
 * `POST /predict` and `POST /predict/{deploymentId}`: passes predictions from their sockets to the engine,
 * and answers back. Bodies go to the engine as bytes and are not parsed here.
 */
export class Predictor implements SlotListener, CompletionListener {
  readonly #pipeline: Pipeline;
  readonly #deployments: DeploymentManager;
  readonly #accounts: RequestAccounts;
  readonly #engine: FrontEnd;
  readonly #slots: PredictSlot[] = [];
  readonly #free: PredictSlot[] = [];
  readonly #timing = new ServerTimingWriter();
  readonly #ticker: NodeJS.Timeout;
  /** Seconds since the start. */
  #clock = 0;
  /**
   * Whether an answer was large enough to compress. Until then the header that asks for it is not read: each
   * look-up is a measurable part of a small prediction.
   */
  #hasLargeAnswers = false;

  constructor(pipeline: Pipeline, deployments: DeploymentManager, accounts: RequestAccounts) {
    this.#pipeline = pipeline;
    this.#deployments = deployments;
    this.#accounts = accounts;
    this.#engine = new FrontEnd(this);
    this.#ticker = setInterval(() => this.#tick(), tickMs);
    this.#ticker.unref();
  }

  /** Requests that have no answer yet. */
  get inFlight(): number {
    return this.#slots.length - this.#free.length;
  }

  close(): void {
    clearInterval(this.#ticker);
  }

  /** `POST /predict`: the body names the deployment. */
  readonly predict = (res: HttpResponse, req: HttpRequest): void => {
    this.#begin(res, req, undefined);
  };

  /** `POST /predict/{deploymentId}` */
  readonly predictOne = (res: HttpResponse, req: HttpRequest): void => {
    this.#begin(res, req, req.getParameter(0) ?? '');
  };

  #begin(res: HttpResponse, req: HttpRequest, deploymentId: string | undefined): void {
    const slot = this.#free.pop() ?? this.#addSlot();
    slot.phase = Phase.answering;
    if (!this.#pipeline.begin(slot, res, req, 'predict')) return;
    if (this.#hasLargeAnswers) {
      slot.encoding = acceptedEncoding(req.getHeader(headerKeys.acceptEncoding));
    }
    try {
      slot.wantsEvents = wantsEvents(req.getHeader(headerKeys.accept));
      slot.priority = priorityOf(req.getHeader(headerKeys.priority));
      slot.timeoutMs = timeoutOf(req.getHeader(headerKeys.timeoutMs));
      slot.route = deploymentId === undefined ? routeByBody : this.#routeTo(slot, deploymentId);
      const contentType = req.getHeader(headerKeys.contentType);
      if (mediaTypeOf(contentType) !== 'application/json') {
        const encoding = req.getHeader(headerKeys.contentEncoding);
        slot.foreign = ForeignBody.ofType(contentType, encoding, slot.route !== routeByBody);
      }
    } catch (error) {
      this.#pipeline.refuse(slot, error);
      return;
    }
    slot.phase = Phase.receiving;
    this.#pipeline.receive(slot, this.#pipeline.services.limits.bodyLimit);
  }

  onBody(slot: PredictSlot, chunk: ArrayBuffer, isLast: boolean): void {
    if (slot.foreign) {
      slot.foreign.add(chunk);
      if (isLast) void this.#readForeign(slot, slot.foreign);
    } else if (isLast) {
      this.#hand(slot, chunk, false);
    } else {
      const refused = this.#engine.append(slot.ticket, slot.principal!.caller, chunk);
      if (refused === Admission.compressed) slot.foreign = ForeignBody.compressed(chunk);
      else if (refused < 0) this.#pipeline.cut(slot, refusalError(refused));
    }
  }

  onCut(slot: PredictSlot): void {
    this.#engine.discard(slot.ticket);
    slot.phase = Phase.answering;
  }

  onGone(slot: PredictSlot): void {
    if (slot.phase === Phase.queued) {
      this.#accounts.dropped(slot.principal!, slot.deployment!);
      if (this.#engine.cancel(slot.ticket)) this.#release(slot);
      else slot.phase = Phase.orphaned;
      return;
    }
    if (slot.phase === Phase.receiving) {
      this.#engine.discard(slot.ticket);
    } else if (slot.phase === Phase.streaming) {
      this.#accounts.dropped(slot.principal!, slot.deployment!);
      this.#engine.cancelStream(slot.ticket);
    }
    this.#release(slot);
  }

  onCompletion(completion: Completion): void {
    const slot = this.#slots[completion.ticket]!;
    const { outcome, body, rows, processingTimeMs, chargedMs } = completion;
    // Its client went while this was on its way.
    if (slot.phase === Phase.free) return;
    if (slot.phase === Phase.orphaned) {
      this.#release(slot);
      return;
    }
    // A stream's only input is in already.
    if (outcome === Outcome.room) return;
    if (outcome === Outcome.output) {
      slot.wroteAt = this.#clock;
      if (slot.writeEvent('prediction', body)) return;
      this.#holdUnread(slot, body.byteLength);
      if (slot.isHeld) return;
      slot.isHeld = true;
      slot.heldAt = this.#clock;
      this.#engine.holdReader(slot.ticket, true);
      return;
    }
    const failed = outcome === Outcome.failed;
    this.#accounts.ended(slot.principal!, slot.deployment!, failed, rows, chargedMs);
    if (slot.phase === Phase.streaming) {
      slot.endEvents(failed ? 'error' : 'done', body);
      if (failed) this.#logFailure(slot, failureOf(body));
      this.#release(slot);
    } else if (failed) {
      this.#refuse(slot, failureOf(body));
    } else if (slot.wantsEvents) {
      this.#beginEvents(slot);
      slot.writeEvent('prediction', asOutput(body));
      slot.endEvents('done', `{"processingTimeMs":${processingTimeMs}}`);
      this.#release(slot);
    } else {
      const pipeline = this.#pipeline;
      const timing = pipeline.services.serverTiming ? this.#timing.write(completion) : undefined;
      slot.phase = Phase.answering;
      if (!this.#hasLargeAnswers) this.#hasLargeAnswers = isWorthCompressing(body);
      pipeline.answer(slot, 200, pipeline.plainHeadersOf(slot), body, false, timing);
    }
  }

  onUnread(slot: PredictSlot, bytes: number): void {
    this.#holdUnread(slot, bytes);
  }

  onAnswered(slot: PredictSlot): void {
    this.#release(slot);
  }

  onReadAgain(slot: PredictSlot): void {
    slot.isHeld = false;
    this.#releaseUnread(slot);
    this.#engine.holdReader(slot.ticket, false);
  }

  /** Ends the streams that are still open, at the end of a shutdown. */
  cutStreams(): void {
    for (const slot of this.#slots) {
      if (slot.phase === Phase.streaming) this.#cutStream(slot, draining());
    }
  }

  /** Ends the streams of a key that was revoked or has expired. */
  dismiss(principal: Principal): void {
    for (const slot of this.#slots) {
      if (slot.phase !== Phase.streaming || slot.principal !== principal) continue;
      this.#cutStream(slot, keyEnded());
    }
  }

  #cutStream(slot: PredictSlot, { code, message }: CloudEasyMLError): void {
    this.#accounts.dropped(slot.principal!, slot.deployment!);
    this.#engine.cancelStream(slot.ticket);
    slot.endEvents('error', JSON.stringify({ code, detail: message }));
    this.#release(slot);
  }

  /** Hands a whole body to the engine. */
  #hand(slot: PredictSlot, chunk: ArrayBuffer, isFrame: boolean): void {
    const owner = slot.principal!.caller;
    const { priority, timeoutMs } = slot;
    if (priority !== 0 || timeoutMs !== 0 || isFrame) {
      this.#engine.setEnvelope(priority, timeoutMs, isFrame);
    }
    if (slot.requestIdHeader !== '') this.#engine.setRequestId(slot.requestId);
    slot.phase = Phase.queued;
    const handle = slot.wantsEvents
      ? this.#openStream(slot, owner, chunk, isFrame)
      : this.#engine.submit(slot.ticket, owner, slot.route, chunk);
    if (handle >= 0) {
      slot.deployment = this.#deployments.byHandle(handle);
    } else if (handle === Admission.compressed) {
      slot.foreign = ForeignBody.compressed(chunk);
      void this.#readForeign(slot, slot.foreign);
    } else {
      const isStarting = this.#pipeline.services.readiness() === 'starting';
      this.#refuse(slot, refusalError(handle, isStarting, this.#engine.shedWaitMs));
    }
  }

  /** A model without streams answers in the ordinary way; its one answer becomes the only event. */
  #openStream(slot: PredictSlot, owner: number, chunk: ArrayBuffer, isFrame: boolean): number {
    const handle = this.#engine.openStream(slot.ticket, owner, slot.route, chunk);
    if (handle === Admission.noStreams) {
      this.#engine.setEnvelope(slot.priority, slot.timeoutMs, isFrame);
      return this.#engine.submit(slot.ticket, owner, slot.route, new ArrayBuffer(0));
    }
    if (handle >= 0) {
      this.#engine.endInput(slot.ticket);
      slot.phase = Phase.streaming;
      this.#beginEvents(slot);
    }
    return handle;
  }

  async #readForeign(slot: PredictSlot, foreign: ForeignBody): Promise<void> {
    slot.phase = Phase.inflating;
    try {
      const { bytes, isFrame } = await foreign.read(slot.bodyLimit);
      // The client may have gone, and the slot be in use for another.
      if (slot.foreign === foreign) this.#hand(slot, bytes, isFrame);
    } catch (error) {
      if (slot.foreign === foreign) this.#refuse(slot, error);
    }
  }

  #beginEvents(slot: PredictSlot): void {
    slot.wroteAt = this.#clock;
    slot.beginEvents({
      ...this.#pipeline.headersOf(slot, eventStreamHeaders['content-type']),
      ...eventStreamHeaders,
    });
  }

  #addSlot(): PredictSlot {
    const slot = new PredictSlot(this.#slots.length, this, this.#pipeline);
    this.#slots.push(slot);
    this.#pipeline.watch(slot);
    return slot;
  }

  /** What waits for its client counts as held by its user. */
  #holdUnread(slot: PredictSlot, bytes: number): void {
    slot.unreadBytes += bytes;
    this.#engine.holdAnswer(slot.principal!.caller, bytes);
  }

  #releaseUnread(slot: PredictSlot): void {
    this.#engine.releaseAnswer(slot.principal!.caller, slot.unreadBytes);
    slot.unreadBytes = 0;
  }

  #release(slot: PredictSlot): void {
    if (slot.unreadBytes > 0) this.#releaseUnread(slot);
    slot.clear();
    this.#free.push(slot);
  }

  #routeTo({ principal }: PredictSlot, deploymentId: string): number {
    const { isAdmin, userIndex } = principal!;
    const deployment = this.#deployments.find(deploymentId);
    if (!deployment || (!isAdmin && userIndex !== deployment.owner)) {
      throw new CloudEasyMLError(
        'deployment_not_found',
        `There is no deployment with the id "${deploymentId}".`,
        { path: 'deploymentId' },
      );
    }
    if (!deployment.queue || deployment.status === 'failed') {
      const why = deployment.error ? `failed: ${deployment.error}` : 'is still loading.';
      throw new CloudEasyMLError('deployment_unavailable', `The deployment ${why}`);
    }
    return deployment.endpoint!.number;
  }

  #refuse(slot: PredictSlot, error: unknown): void {
    slot.phase = Phase.answering;
    this.#pipeline.refuse(slot, error, { deploymentId: slot.deployment?.deploymentId });
  }

  #logFailure(slot: PredictSlot, error: CloudEasyMLError): void {
    if (errorTable[error.code].status < 500) return;
    this.#pipeline.log(error, slot, slot.deployment?.deploymentId);
  }

  /** Sends a silent stream a heartbeat, and closes the connection of a client that reads no more. */
  #keepAlive(slot: PredictSlot): void {
    if (slot.isHeld && slot.heldAt + this.#pipeline.services.limits.idleTimeout <= this.#clock) {
      slot.res!.close();
      return;
    }
    const seconds = slot.isHeld ? heldHeartbeatSeconds : heartbeatSeconds;
    if (slot.wroteAt + seconds > this.#clock) return;
    slot.wroteAt = this.#clock;
    writeEvents(slot.res!, heartbeat);
  }

  #tick(): void {
    this.#clock += tickMs / 1000;
    for (const slot of this.#slots) {
      if (slot.phase === Phase.streaming) this.#keepAlive(slot);
    }
  }
}

/** A whole answer as the first of a stream's outputs. */
function asOutput(body: Uint8Array | ArrayBuffer): Buffer {
  return Buffer.concat([Buffer.from('{"seq":0,'), viewOf(body).subarray(1)]);
}
