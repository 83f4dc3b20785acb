import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { RateLimitedError } from '../auth/principal.js';
import type { Deployment } from '../deployment/deployment.js';
import type { DeploymentManager } from '../deployment/deploymentManager.js';
import {
  anyOwner,
  type CompletionListener,
  FrontEnd,
  Refusal,
  routeByBody,
} from '../engine/frontEnd.js';
import { CloudEasyMLError, type ErrorCode } from '../errors.js';
import type { UsageCounter, UsageRecorder } from '../usage/usageRecorder.js';
import { Phase, PredictSlot, type SlotListener } from './predictSlot.js';
import { isExplained, problemFor } from './problem.js';
import { bodyTooLarge, requireJson } from './readBody.js';
import { requestIdFor } from './requestId.js';
import type { HttpServices } from './router.js';

/** Bytes of bodies that the process holds at once, waiting or being run. */
const maxHeldBytes = 1 << 30;
const tickMs = 1000;

/**
 * `POST /predict` and `POST /predict/{deploymentId}`: the way of a prediction from its socket into the
 * engine and back. The body's bytes go to the engine as they come; nothing of them is parsed here.
 */
export class Predictor implements SlotListener, CompletionListener {
  readonly #http: HttpServices;
  readonly #deployments: DeploymentManager;
  readonly #usage: UsageRecorder;
  readonly #engine: FrontEnd;
  readonly #slots: PredictSlot[] = [];
  readonly #free: PredictSlot[] = [];
  readonly #ticker: NodeJS.Timeout;
  /** Seconds since the start: fine enough to tell a body that never ends. */
  #clock = 0;

  constructor(http: HttpServices, deployments: DeploymentManager, usage: UsageRecorder) {
    this.#http = http;
    this.#deployments = deployments;
    this.#usage = usage;
    this.#engine = new FrontEnd(this, maxHeldBytes);
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
    slot.requestIdHeader = req.getHeader('x-request-id');
    if (this.#http.cors.enabled) slot.origin = req.getHeader('origin');
    res.onAborted(slot.onAborted);
    try {
      if (this.#http.readiness() === 'draining') {
        throw new CloudEasyMLError('draining', 'The server is shutting down.');
      }
      const principal = this.#http.keys.authenticate(req.getHeader('authorization'));
      slot.principal = principal;
      const wait = principal.limiter.take(Date.now());
      if (wait > 0) throw new RateLimitedError(wait);
      if (!principal.canPredict) {
        throw new CloudEasyMLError('forbidden', 'The API key lacks the permission "predict".');
      }
      requireJson(req.getHeader('content-type'));
      slot.route =
        deploymentId === undefined
          ? routeByBody
          : this.#routeTo(deploymentId, principal.isAdmin ? anyOwner : principal.userIndex);
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
      if (!this.#engine.append(slot.ticket, chunk)) {
        this.#refuse(slot, refusalError(Refusal.tooManyBytes), true);
      }
      return;
    }
    const principal = slot.principal!;
    const owner = principal.isAdmin ? anyOwner : principal.userIndex;
    const handle = this.#engine.submit(slot.ticket, owner, slot.route, chunk);
    if (handle < 0) {
      const isEarly = handle === Refusal.noDeployment && this.#http.readiness() === 'starting';
      this.#refuse(slot, isEarly ? stillLoading() : refusalError(handle));
      return;
    }
    slot.deployment = this.#deployments.byHandle(handle);
    slot.phase = Phase.queued;
  }

  onGone(slot: PredictSlot): void {
    if (slot.phase === Phase.receiving) {
      this.#engine.discard(slot.ticket);
      this.#release(slot);
    } else if (slot.phase === Phase.queued) {
      const counter = this.#counterOf(slot);
      counter.requests++;
      counter.errors++;
      if (this.#engine.cancel(slot.ticket)) this.#release(slot);
      else slot.phase = Phase.orphaned;
    } else if (slot.phase === Phase.answering) {
      this.#release(slot);
    }
  }

  onCompletion(
    ticket: number,
    failed: boolean,
    rows: number,
    processingTimeMs: number,
    body: Uint8Array | ArrayBuffer,
  ): void {
    const slot = this.#slots[ticket]!;
    if (slot.phase === Phase.orphaned) {
      this.#release(slot);
      return;
    }
    const counter = this.#counterOf(slot);
    counter.requests++;
    counter.rows += rows;
    counter.processingTimeMs += processingTimeMs;
    if (failed) {
      counter.errors++;
      this.#refuse(slot, failureOf(body));
      return;
    }
    counter.cost += slot.deployment!.costPerRequest;
    const headers = this.#plainAnswer(slot) ? undefined : this.#headers(slot);
    if (slot.answer(body, headers)) this.#release(slot);
    else slot.phase = Phase.answering;
  }

  onAnswered(slot: PredictSlot): void {
    this.#release(slot);
  }

  #addSlot(): PredictSlot {
    const slot = new PredictSlot(this.#slots.length, this);
    this.#slots.push(slot);
    return slot;
  }

  #release(slot: PredictSlot): void {
    slot.clear();
    this.#free.push(slot);
  }

  #routeTo(deploymentId: string, owner: number): number {
    const deployment = this.#deployments.find(deploymentId);
    if (!deployment || (owner !== anyOwner && owner !== deployment.owner)) {
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
    return deployment.queue.handle;
  }

  #counterOf(slot: PredictSlot): UsageCounter {
    const { counters, deploymentId, record } = slot.deployment as Deployment;
    const { userId, userIndex } = slot.principal!;
    let counter = counters[userIndex];
    if (!counter) {
      counter = this.#usage.counterFor(userId, deploymentId, record.modelName);
      counters[userIndex] = counter;
    }
    return counter;
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
    if (problem.status >= 500) {
      const level = isExplained(error) ? 'warn' : 'error';
      this.#http.logger[level](
        { requestId, deploymentId: slot.deployment?.deploymentId, err: error },
        'a prediction failed',
      );
    }
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

  #tick(): void {
    this.#clock += tickMs / 1000;
    const { requestTimeoutMs } = this.#http.limits;
    const latest = this.#clock - requestTimeoutMs / 1000;
    for (const slot of this.#slots) {
      if (slot.phase !== Phase.receiving || slot.startedAt >= latest) continue;
      this.#engine.discard(slot.ticket);
      const message = `The body did not arrive within ${requestTimeoutMs} ms.`;
      this.#refuse(slot, new CloudEasyMLError('request_timeout', message), true);
    }
  }
}

/** The deployment that the body names may be one of those. */
function stillLoading(): CloudEasyMLError {
  return new CloudEasyMLError('starting', 'The stored deployments are still being loaded.');
}

function refusalError(refusal: number): CloudEasyMLError {
  switch (refusal) {
    case Refusal.noDeployment:
      return new CloudEasyMLError(
        'deployment_not_found',
        'There is no deployment with the id that the body names.',
        { path: 'deploymentId' },
      );
    case Refusal.notAccepting:
      return new CloudEasyMLError(
        'deployment_unavailable',
        'The deployment is not serving; GET /deployments/{deploymentId} tells why.',
      );
    case Refusal.queueFull:
      return new CloudEasyMLError(
        'overloaded',
        'As many requests wait for the deployment as its maxQueueSize allows.',
      );
    case Refusal.tooManyBytes:
      return new CloudEasyMLError(
        'overloaded',
        'The server holds as many bytes of requests as it can.',
      );
    case Refusal.routeAbsent:
    case Refusal.routeNotText:
      return new CloudEasyMLError(
        'invalid_input',
        `deploymentId: expected the id of a deployment, a string, but ${refusal === Refusal.routeAbsent ? 'the body has none' : 'received something else'}.`,
        { path: 'deploymentId' },
      );
    case Refusal.notAnObject:
      return new CloudEasyMLError(
        'invalid_input',
        'Expected the body to be an object like {"deploymentId": …, "data": …}.',
      );
    default:
      return new CloudEasyMLError('malformed_json', 'The body is not valid JSON.');
  }
}

function failureOf(body: Uint8Array | ArrayBuffer): CloudEasyMLError {
  const { code, detail, path } = JSON.parse(Buffer.from(body as Uint8Array).toString()) as {
    code: ErrorCode;
    detail: string;
    path?: string;
  };
  return new CloudEasyMLError(code, path ? `${path}: ${detail}` : detail, { path });
}
