/** What C++ and TypeScript both know. */
// Written by scripts/generateConstants.mjs from native/constants.json: edit that, and run
// npm run generate.

/** Every error that the server, the engine or a script answers with. */
export const errorTable = {
  malformed_json: { status: 400, title: 'The body is not valid JSON' },
  bad_request: { status: 400, title: 'The request is malformed' },
  key_missing: { status: 401, title: 'An API key is needed' },
  key_invalid: { status: 401, title: 'The API key is not valid' },
  forbidden: { status: 403, title: 'The API key does not permit this' },
  route_not_found: { status: 404, title: 'There is no such route' },
  model_not_found: { status: 404, title: 'There is no such model' },
  deployment_not_found: { status: 404, title: 'There is no such deployment' },
  stream_not_found: { status: 404, title: 'There is no such stream on the connection' },
  key_not_found: { status: 404, title: 'There is no such API key' },
  method_not_allowed: { status: 405, title: 'The route does not know this method' },
  request_timeout: { status: 408, title: 'The body did not arrive in time' },
  conflict: { status: 409, title: 'The request conflicts with the state of the server' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The route does not take a body of this type' },
  invalid_input: { status: 422, title: 'The input does not fit' },
  answer_too_large: { status: 422, title: 'The answer would be too large' },
  rate_limited: { status: 429, title: 'Too many requests came' },
  plugin_failed: { status: 500, title: 'The plugin failed' },
  model_load_failed: { status: 500, title: 'The model did not load' },
  runtime_failed: { status: 500, title: 'ONNX Runtime failed' },
  library_unavailable: { status: 500, title: 'The ONNX Runtime library cannot be used' },
  provider_unavailable: { status: 500, title: 'An execution provider cannot be used' },
  invalid_settings: { status: 500, title: 'The settings are not valid' },
  internal: { status: 500, title: 'The server failed' },
  cancelled: { status: 499, title: 'The request was cancelled' },
  overloaded: { status: 503, title: 'The server has more to do than it can' },
  starting: { status: 503, title: 'The server is starting' },
  draining: { status: 503, title: 'The server is shutting down' },
  storage_failed: { status: 503, title: 'The server could not store the change' },
  deployment_unavailable: { status: 503, title: 'The deployment is not serving' },
  worker_lost: { status: 503, title: 'The worker that ran the request was lost' },
  deadline_exceeded: { status: 504, title: 'The request took too long' },
} as const;

/** The result of submitting a request. Below zero is why it was refused. */
export const Admission = {
  queued: 0,
  noDeployment: -1,
  notAccepting: -2,
  queueFull: -3,
  /** The body does not say which deployment it is for. */
  routeAbsent: -4,
  routeNotText: -5,
  /** The body is no JSON. */
  routeMalformed: -6,
  /** The server holds as many bytes as it may. */
  tooManyBytes: -7,
  notAnObject: -8,
  /** The model answers whole requests only. */
  noStreams: -9,
  /** As many streams are open as may be. */
  streamsFull: -10,
  /** It is expected to miss its deadline. */
  shed: -11,
  /** "priority" is no level. */
  priority: -12,
  /** "timeoutMs" is no time. */
  timeout: -13,
  /** The server holds as many bytes for the user as it may. */
  tooManyUserBytes: -14,
  /** The body has more members than any request needs. */
  tooManyMembers: -15,
  /** The body begins as gzip's or zlib's data do. */
  compressed: -16,
} as const;
export type Admission = (typeof Admission)[keyof typeof Admission];

/** What a completion says. */
export const Outcome = {
  /** A request's answer, or a stream's end. */
  answered: 0,
  failed: 1,
  /** One of a stream's outputs; more may follow. */
  output: 2,
  /** A stream takes inputs again. */
  room: 3,
} as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

/** What a worker's next() answers where it has no batch. */
export const NextStep = {
  /** Nothing waits; onWork will be called. */
  idle: 0,
  /** The event loop has something to do first. */
  turn: 1,
  /** There are notices of streams. */
  notices: 2,
} as const;
export type NextStep = (typeof NextStep)[keyof typeof NextStep];

/** What a worker is told of a stream, any number of bits at once, or of a batch. */
export const Notice = {
  opened: 1,
  /** There is input, or its end, to take. */
  input: 2,
  /** There is room for outputs again. */
  room: 4,
  /** It has ended; its code should stop. */
  stop: 8,
  /** Comes with opened: its client wants binary frames. */
  binary: 16,
  /** Requests of a batch have ended that its code has not answered. The number is the batch's. */
  requestsEnded: 32,
} as const;

/** The fault in a client's frame. */
export const FrameFault = {
  none: 0,
  /** No JSON, as far as can be told without parsing it. */
  malformed: 1,
  notAnObject: 2,
  /** A binary frame whose header's length is not that of a header in it. */
  headerLength: 3,
  /** "id" is missing, or neither a string nor a number, or too long. */
  id: 4,
  /** "deploymentId" is no string. */
  deploymentId: 5,
  /** "stream", "end", "cancel" or "binary" is neither true nor false. */
  switch: 6,
  /** A member is there twice. */
  twice: 7,
  /** "priority" is no level. */
  priority: 8,
  /** "timeoutMs" is no time. */
  timeout: 9,
  /** It has more members than any frame needs. */
  members: 10,
} as const;
export type FrameFault = (typeof FrameFault)[keyof typeof FrameFault];

/** What a client's frame asks for, in bits. */
export const FrameAsks = {
  /** It names a deployment. */
  start: 1,
  data: 2,
  stream: 4,
  end: 8,
  cancel: 16,
} as const;

/** Where scanFrame() leaves what it found: indices of an array of 32-bit integers. */
export const ScannedFrame = {
  /** Bits of FrameAsks. */
  asks: 0,
  /** Where in the frame's bytes its id begins. */
  idStart: 1,
  idLength: 2,
  /** Of the array. */
  size: 3,
} as const;

/** A completion as drain() writes it: indices of 32-bit integers. */
export const CompletionRecord = {
  ticket: 0,
  /** An Outcome, and CompletionFlag's bits. */
  outcome: 1,
  /** Rows of the request's data, 0 where it was never read; a stream's inputs. */
  rows: 2,
  /** Where in the outbox the answer begins; below zero where takeLarge() has it. */
  offset: 3,
  /** Of the answer, in bytes. */
  length: 4,
  processingUs: 5,
  /** From the request's arrival until a worker took it. */
  queueUs: 6,
  /** From then until its run began; 0 for plugins with code. */
  batchUs: 7,
  /** The request's share of what its batch took. */
  chargedUs: 8,
  /** Of a record. */
  size: 9,
} as const;

/** Bits beside the outcome in a completion's record. */
export const CompletionFlag = {
  /** The answer is a binary frame. */
  binary: 256,
} as const;

/**
 * The memory that a thread and the addon both see. Numbers of 64 bits come first, shapes and
 * results; after them lie the bytes of small tensors.
 */
export const SharedFrame = {
  headerNumbers: 2048,
  tensorBytes: 65536,
  /** Larger tensors are wrapped where they lie. */
  smallTensorBytes: 4096,
  /** Where each tensor's bytes begin, so that vector instructions like them. */
  alignment: 64,
} as const;

/** In the place of a tensor's offset in the shared frame. */
export const TensorPlace = {
  /** It does not lie there. */
  elsewhere: -1,
} as const;

/** Memory for the outputs that a run allocates. */
export const OutputMemory = {
  /** Larger blocks are given back to the system as soon as they are freed. */
  reusableBytes: 33554432,
} as const;

/** A binary frame: the header's length, the header, and the tensors' bytes. */
export const BinaryFrame = {
  /** Bytes of the header's length, a little-endian integer. */
  lengthBytes: 4,
} as const;

/** In the place of an endpoint's number. */
export const Route = {
  /** The body names it. */
  byBody: -1,
} as const;

/** A caller: a user's number, and bits. */
export const Owner = {
  /** The user's requests go to deployments of all owners, not only to their own. */
  any: 1073741824,
} as const;

/** Which axis of a model is the batch, as serving.batchAxis says. */
export const BatchAxis = {
  /** The model's shapes and a trial decide. */
  auto: 0,
  /** The first axis is, and requests are joined, whatever a trial would say. */
  rows: 1,
  /** A first axis of fixed length is: what is missing of it is filled up. */
  fixed: 2,
} as const;
export type BatchAxis = (typeof BatchAxis)[keyof typeof BatchAxis];

/** The order in which addDeployment() takes a deployment's limits. */
export const BatchLimit = {
  maxBatchSize: 0,
  maxQueueDelayUs: 1,
  maxQueueSize: 2,
  timeoutMs: 3,
  maxStreams: 4,
} as const;
