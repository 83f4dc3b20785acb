import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { DeploymentManager } from '../deployment/deploymentManager.js';
import {
  Admission,
  anyOwner,
  type Completion,
  type CompletionListener,
  FrontEnd,
  Outcome,
  routeByBody,
} from '../engine/frontEnd.js';
import { CloudEasyMLError, errorTable } from '../errors.js';
import type { RequestAccounts } from '../usage/requestAccounts.js';
import { priorityOf, timeoutOf } from './envelope.js';
import { eventStreamHeaders, heartbeat, viewOf, wantsEvents, writeEvents } from './eventStream.js';
import { headerKeys } from './headerKeys.js';
import { Phase, PredictSlot, type SlotListener } from './predictSlot.js';
import { isExplained, problemFor } from './problem.js';
import { bodyTooLarge, requireJson } from './readBody.js';
import { draining, failureOf, refusalError } from './refusals.js';
import { requestIdFor } from './requestId.js';
import type { HttpServices } from './router.js';
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
  readonly #http: HttpServices;
  readonly #deployments: DeploymentManager;
  readonly #accounts: RequestAccounts;
  readonly #engine: FrontEnd;
  readonly #slots: PredictSlot[] = [];
  readonly #free: PredictSlot[] = [];
  readonly #timing = new ServerTimingWriter();
  readonly #ticker: NodeJS.Timeout;
  /** Seconds since the start: fine enough to tell a body that never ends. */
  #clock = 0;

  constructor(http: HttpServices, deployments: DeploymentManager, accounts: RequestAccounts) {
    this.#http = http;
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

  /** `POST /predict/:deploymentId` */
  readonly predictOne = (res: HttpResponse, req: HttpRequest): void => {
    this.#begin(res, req, req.getParameter(0) ?? '');
  };

  #begin(res: HttpResponse, req: HttpRequest, deploymentId: string | undefined): void {
    const slot = this.#free.pop() ?? this.#addSlot();
    slot.phase = Phase.receiving;
    slot.res = res;
    slot.startedAt = this.#clock;
    slot.requestIdHeader = req.getHeader(headerKeys.requestId);
    if (this.#http.cors.enabled) slot.origin = req.getHeader(headerKeys.origin);
    slot.wantsEvents = wantsEvents(req.getHeader(headerKeys.accept));
    res.onAborted(slot.onAborted);
    try {
      if (this.#http.readiness() === 'draining') throw draining();
      const principal = this.#http.keys.authenticate(req.getHeader(headerKeys.authorization));
      slot.principal = principal;
      principal.admit('predict');
      requireJson(req.getHeader(headerKeys.contentType));
      slot.priority = priorityOf(req.getHeader(headerKeys.priority));
      slot.timeoutMs = timeoutOf(req.getHeader(headerKeys.timeoutMs));
      slot.route =
        deploymentId === undefined ? routeByBody : this.#routeTo(deploymentId, principal.caller);
    } catch (error) {
      this.#refuse(slot, error);
      return;
    }
    res.onData(slot.onData);
  }

  onChunk(slot: PredictSlot, chunk: ArrayBuffer, isLast: boolean): void {
    if (slot.phase !== Phase.receiving) return;
    slot.receivedBytes += chunk.byteLength;
    const { bodyLimit } = this.#http.limits;
    if (slot.receivedBytes > bodyLimit) {
      this.#engine.discard(slot.ticket);
      this.#refuse(slot, bodyTooLarge(bodyLimit), true);
      return;
    }
    if (!isLast) {
      const refusal = this.#engine.append(slot.ticket, slot.principal!.caller, chunk);
      if (refusal < 0) this.#refuse(slot, refusalError(refusal), true);
      return;
    }
    const owner = slot.principal!.caller;
    const handle = slot.wantsEvents
      ? this.#openStream(slot, owner, chunk)
      : this.#submit(slot, owner, chunk);
    if (handle < 0) {
      const isStarting = this.#http.readiness() === 'starting';
      this.#refuse(slot, refusalError(handle, isStarting, this.#engine.shedWaitMs));
      return;
    }
    slot.deployment = this.#deployments.byHandle(handle);
  }

  onGone(slot: PredictSlot): void {
    if (slot.phase === Phase.receiving) {
      this.#engine.discard(slot.ticket);
      this.#release(slot);
    } else if (slot.phase === Phase.queued) {
      this.#accounts.dropped(slot.principal!, slot.deployment!);
      if (this.#engine.cancel(slot.ticket)) this.#release(slot);
      else slot.phase = Phase.orphaned;
    } else if (slot.phase === Phase.streaming) {
      this.#accounts.dropped(slot.principal!, slot.deployment!);
      this.#engine.cancelStream(slot.ticket);
      this.#release(slot);
    } else if (slot.phase === Phase.answering) {
      this.#release(slot);
    }
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
      const headers = this.#plainAnswer(slot) ? undefined : this.#headers(slot);
      const timing = this.#http.serverTiming ? this.#timing.write(completion) : undefined;
      if (slot.answer(body, headers, timing)) this.#release(slot);
      else {
        slot.phase = Phase.answering;
        this.#holdUnread(slot, body.byteLength);
      }
    }
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
    const why = draining();
    for (const slot of this.#slots) {
      if (slot.phase !== Phase.streaming) continue;
      this.#accounts.dropped(slot.principal!, slot.deployment!);
      this.#engine.cancelStream(slot.ticket);
      slot.endEvents('error', JSON.stringify({ code: why.code, detail: why.message }));
      this.#release(slot);
    }
  }

  #submit(slot: PredictSlot, owner: number, chunk: ArrayBuffer): number {
    slot.phase = Phase.queued;
    this.#setEnvelope(slot);
    return this.#engine.submit(slot.ticket, owner, slot.route, chunk);
  }

  /** A model without streams answers in the ordinary way; its one answer becomes the only event. */
  #openStream(slot: PredictSlot, owner: number, chunk: ArrayBuffer): number {
    this.#setEnvelope(slot);
    const handle = this.#engine.openStream(slot.ticket, owner, slot.route, chunk);
    if (handle === Admission.noStreams) return this.#submit(slot, owner, new ArrayBuffer(0));
    if (handle >= 0) {
      this.#engine.endInput(slot.ticket);
      slot.phase = Phase.streaming;
      this.#beginEvents(slot);
    }
    return handle;
  }

  #setEnvelope({ priority, timeoutMs }: PredictSlot): void {
    if (priority !== 0 || timeoutMs !== 0) this.#engine.setEnvelope(priority, timeoutMs);
  }

  #beginEvents(slot: PredictSlot): void {
    slot.wroteAt = this.#clock;
    slot.beginEvents({ ...this.#headers(slot), ...eventStreamHeaders });
  }

  #addSlot(): PredictSlot {
    const slot = new PredictSlot(this.#slots.length, this);
    this.#slots.push(slot);
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

  #routeTo(deploymentId: string, owner: number): number {
    const deployment = this.#deployments.find(deploymentId);
    if (!deployment || ((owner & anyOwner) === 0 && owner !== deployment.owner)) {
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

  #plainAnswer(slot: PredictSlot): boolean {
    return slot.requestIdHeader === '' && !this.#http.cors.enabled;
  }

  #headers(slot: PredictSlot, contentType = 'application/json'): Record<string, string> {
    return {
      'content-type': contentType,
      ...this.#http.cors.headersFor(slot.origin),
      ...(slot.requestIdHeader !== '' && { 'x-request-id': requestIdFor(slot.requestIdHeader) }),
    };
  }

  /** Answers with an error's problem document. The rest of a body that was not read is not waited for. */
  #refuse(slot: PredictSlot, error: unknown, closeConnection = false): void {
    const requestId = requestIdFor(slot.requestIdHeader);
    const { problem, headers } = problemFor(error, requestId);
    if (problem.status >= 500) this.#log(slot, error, requestId);
    slot.answerWith(
      problem.status,
      {
        ...this.#headers(slot, 'application/problem+json'),
        ...headers,
        'x-request-id': requestId,
      },
      JSON.stringify(problem),
      closeConnection || problem.code === 'draining',
    );
    this.#release(slot);
  }

  #logFailure(slot: PredictSlot, error: CloudEasyMLError): void {
    if (errorTable[error.code].status < 500) return;
    this.#log(slot, error, requestIdFor(slot.requestIdHeader));
  }

  #log(slot: PredictSlot, error: unknown, requestId: string): void {
    const level = isExplained(error) ? 'warn' : 'error';
    this.#http.logger[level](
      { requestId, deploymentId: slot.deployment?.deploymentId, err: error },
      'a prediction failed',
    );
  }

  /** Sends a silent stream a heartbeat, and closes the connection of a client that reads no more. */
  #keepAlive(slot: PredictSlot): void {
    if (slot.isHeld && slot.heldAt + this.#http.limits.idleTimeout <= this.#clock) {
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
    const { requestTimeoutMs } = this.#http.limits;
    const latest = this.#clock - requestTimeoutMs / 1000;
    for (const slot of this.#slots) {
      if (slot.phase === Phase.streaming) this.#keepAlive(slot);
      if (slot.phase !== Phase.receiving || slot.startedAt >= latest) continue;
      this.#engine.discard(slot.ticket);
      const message = `The body did not arrive within ${requestTimeoutMs} ms.`;
      this.#refuse(slot, new CloudEasyMLError('request_timeout', message), true);
    }
  }
}

/** A whole answer as the first of a stream's outputs. */
function asOutput(body: Uint8Array | ArrayBuffer): Buffer {
  return Buffer.concat([Buffer.from('{"seq":0,'), viewOf(body).subarray(1)]);
}
