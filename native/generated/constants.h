// What C++ and TypeScript both know.
//
// Written by scripts/generateConstants.mjs from native/constants.json: edit that, and run
// npm run generate.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cloudeasyml {

/// Codes of the error table.
enum class ErrorCode : uint8_t {
  kMalformedJson,
  kBadRequest,
  kKeyMissing,
  kKeyInvalid,
  kForbidden,
  kRouteNotFound,
  kModelNotFound,
  kDeploymentNotFound,
  kStreamNotFound,
  kKeyNotFound,
  kMethodNotAllowed,
  kRequestTimeout,
  kConflict,
  kBodyTooLarge,
  kUnsupportedMediaType,
  kInvalidInput,
  kAnswerTooLarge,
  kRateLimited,
  kPluginFailed,
  kModelLoadFailed,
  kRuntimeFailed,
  kLibraryUnavailable,
  kProviderUnavailable,
  kInvalidSettings,
  kInternal,
  kCancelled,
  kOverloaded,
  kStarting,
  kDraining,
  kStorageFailed,
  kDeploymentUnavailable,
  kWorkerLost,
  kDeadlineExceeded,
};

/// The codes' names, in their order.
inline constexpr const char* kErrorNames[] = {
    "malformed_json",
    "bad_request",
    "key_missing",
    "key_invalid",
    "forbidden",
    "route_not_found",
    "model_not_found",
    "deployment_not_found",
    "stream_not_found",
    "key_not_found",
    "method_not_allowed",
    "request_timeout",
    "conflict",
    "body_too_large",
    "unsupported_media_type",
    "invalid_input",
    "answer_too_large",
    "rate_limited",
    "plugin_failed",
    "model_load_failed",
    "runtime_failed",
    "library_unavailable",
    "provider_unavailable",
    "invalid_settings",
    "internal",
    "cancelled",
    "overloaded",
    "starting",
    "draining",
    "storage_failed",
    "deployment_unavailable",
    "worker_lost",
    "deadline_exceeded",
};

/// The result of submitting a request. Below zero is why it was refused.
enum class Admission : int32_t {
  kQueued = 0,
  kNoDeployment = -1,
  kNotAccepting = -2,
  kQueueFull = -3,
  /// The body does not say which deployment it is for.
  kRouteAbsent = -4,
  kRouteNotText = -5,
  /// The body is no JSON.
  kRouteMalformed = -6,
  /// The server holds as many bytes as it may.
  kTooManyBytes = -7,
  kNotAnObject = -8,
  /// The model answers whole requests only.
  kNoStreams = -9,
  /// As many streams are open as may be.
  kStreamsFull = -10,
  /// It is expected to miss its deadline.
  kShed = -11,
  /// "priority" is no level.
  kPriority = -12,
  /// "timeoutMs" is no time.
  kTimeout = -13,
  /// The server holds as many bytes for the user as it may.
  kTooManyUserBytes = -14,
  /// The body has more members than any request needs.
  kTooManyMembers = -15,
  /// The body begins as gzip's or zlib's data do.
  kCompressed = -16,
};

/// What a completion says.
enum class Outcome : uint8_t {
  /// A request's answer, or a stream's end.
  kAnswered = 0,
  kFailed = 1,
  /// One of a stream's outputs; more may follow.
  kOutput = 2,
  /// A stream takes inputs again.
  kRoom = 3,
};

/// What a worker's next() answers where it has no batch.
enum class NextStep : int32_t {
  /// Nothing waits; onWork will be called.
  kIdle = 0,
  /// The event loop has something to do first.
  kTurn = 1,
  /// There are notices of streams.
  kNotices = 2,
};

/// What a worker is told of a stream, any number of bits at once, or of a batch.
struct Notice {
  static constexpr uint32_t kOpened = 1;
  /// There is input, or its end, to take.
  static constexpr uint32_t kInput = 2;
  /// There is room for outputs again.
  static constexpr uint32_t kRoom = 4;
  /// It has ended; its code should stop.
  static constexpr uint32_t kStop = 8;
  /// Comes with opened: its client wants binary frames.
  static constexpr uint32_t kBinary = 16;
  /// Requests of a batch have ended that its code has not answered. The number is the batch's.
  static constexpr uint32_t kRequestsEnded = 32;
};

/// The fault in a client's frame.
enum class FrameFault : int32_t {
  kNone = 0,
  /// No JSON, as far as can be told without parsing it.
  kMalformed = 1,
  kNotAnObject = 2,
  /// A binary frame whose header's length is not that of a header in it.
  kHeaderLength = 3,
  /// "id" is missing, or neither a string nor a number, or too long.
  kId = 4,
  /// "deploymentId" is no string.
  kDeploymentId = 5,
  /// "stream", "end", "cancel" or "binary" is neither true nor false.
  kSwitch = 6,
  /// A member is there twice.
  kTwice = 7,
  /// "priority" is no level.
  kPriority = 8,
  /// "timeoutMs" is no time.
  kTimeout = 9,
  /// It has more members than any frame needs.
  kMembers = 10,
};

/// What a client's frame asks for, in bits.
struct FrameAsks {
  /// It names a deployment.
  static constexpr int32_t kStart = 1;
  static constexpr int32_t kData = 2;
  static constexpr int32_t kStream = 4;
  static constexpr int32_t kEnd = 8;
  static constexpr int32_t kCancel = 16;
};

/// Where scanFrame() leaves what it found: indices of an array of 32-bit integers.
struct ScannedFrame {
  /// Bits of FrameAsks.
  static constexpr size_t kAsks = 0;
  /// Where in the frame's bytes its id begins.
  static constexpr size_t kIdStart = 1;
  static constexpr size_t kIdLength = 2;
  /// Of the array.
  static constexpr size_t kSize = 3;
};

/// A completion as drain() writes it: indices of 32-bit integers.
struct CompletionRecord {
  static constexpr size_t kTicket = 0;
  /// An Outcome, and CompletionFlag's bits.
  static constexpr size_t kOutcome = 1;
  /// Rows of the request's data, 0 where it was never read; a stream's inputs.
  static constexpr size_t kRows = 2;
  /// Where in the outbox the answer begins; below zero where takeLarge() has it.
  static constexpr size_t kOffset = 3;
  /// Of the answer, in bytes.
  static constexpr size_t kLength = 4;
  static constexpr size_t kProcessingUs = 5;
  /// From the request's arrival until a worker took it.
  static constexpr size_t kQueueUs = 6;
  /// From then until its run began; 0 for plugins with code.
  static constexpr size_t kBatchUs = 7;
  /// The request's share of what its batch took.
  static constexpr size_t kChargedUs = 8;
  /// Of a record.
  static constexpr size_t kSize = 9;
};

/// Bits beside the outcome in a completion's record.
struct CompletionFlag {
  /// The answer is a binary frame.
  static constexpr int32_t kBinary = 256;
};

/// The memory that a thread and the addon both see. Numbers of 64 bits come first, shapes and
/// results; after them lie the bytes of small tensors.
struct SharedFrame {
  static constexpr size_t kHeaderNumbers = 2048;
  static constexpr size_t kTensorBytes = 65536;
  /// Larger tensors are wrapped where they lie.
  static constexpr size_t kSmallTensorBytes = 4096;
  /// Where each tensor's bytes begin, so that vector instructions like them.
  static constexpr size_t kAlignment = 64;
};

/// In the place of a tensor's offset in the shared frame.
struct TensorPlace {
  /// It does not lie there.
  static constexpr int32_t kElsewhere = -1;
};

/// Memory for the outputs that a run allocates.
struct OutputMemory {
  /// Larger blocks are given back to the system as soon as they are freed.
  static constexpr size_t kReusableBytes = 33554432;
};

/// A binary frame: the header's length, the header, and the tensors' bytes.
struct BinaryFrame {
  /// Bytes of the header's length, a little-endian integer.
  static constexpr size_t kLengthBytes = 4;
};

/// In the place of an endpoint's number.
struct Route {
  /// The body names it.
  static constexpr int32_t kByBody = -1;
};

/// A caller: a user's number, and bits.
struct Owner {
  /// The user's requests go to deployments of all owners, not only to their own.
  static constexpr uint32_t kAny = 1073741824;
};

/// Which axis of a model is the batch, as serving.batchAxis says.
enum class BatchAxis : int32_t {
  /// The model's shapes and a trial decide.
  kAuto = 0,
  /// The first axis is, and requests are joined, whatever a trial would say.
  kRows = 1,
  /// A first axis of fixed length is: what is missing of it is filled up.
  kFixed = 2,
};

/// The order in which addDeployment() takes a deployment's limits.
struct BatchLimit {
  static constexpr uint32_t kMaxBatchSize = 0;
  static constexpr uint32_t kMaxQueueDelayUs = 1;
  static constexpr uint32_t kMaxQueueSize = 2;
  static constexpr uint32_t kTimeoutMs = 3;
  static constexpr uint32_t kMaxStreams = 4;
};

}  // namespace cloudeasyml
