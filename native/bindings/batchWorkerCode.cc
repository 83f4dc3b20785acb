// A worker's way into plugin code.
#include <algorithm>

#include "bindings/batchWorker.h"
#include "serving/time.h"

namespace cloudeasyml::bindings {

namespace {

/// How long after its time a plugin's code may go on. A model's run is stopped at the deadline
/// already, so most code comes back by itself.
constexpr int64_t kInterruptGraceNs = 1000 * serving::kMillisecond;

}  // namespace

/// @returns likewise
bool BatchWorker::runBatch(uint32_t id, napi_value code) {
  const serving::Batch* batch = active(id);
  return runCode((batch ? batch->deadlineNs : serving::nowNs()) + kInterruptGraceNs, code);
}

/// @returns likewise
bool BatchWorker::runStep(uint32_t number, napi_value code) {
  const auto stream = streamOf(number);
  const int64_t stepNs = stream ? stream->stepNs() : 0;
  return runCode(serving::nowNs() + stepNs + kInterruptGraceNs, code);
}

/// @returns likewise
bool BatchWorker::runFor(double milliseconds, napi_value code) {
  return runCode(serving::nowNs() + static_cast<int64_t>(milliseconds * 1e6), code);
}

// Promise reactions that are due run inside, too: a plugin's code goes on in them after an await.
// An interruption drops those that have not run. So the section begins without any, and belongs to
// one plugin.
//
// @returns whether the code was interrupted
bool BatchWorker::runCode(int64_t dueNs, napi_value code) {
  napi_value receiver = nullptr;
  napi_get_undefined(env_, &receiver);
  auto& section = worker_->section;
  if (!isolate_.isInterruptible() || section.dueNs() != serving::kNever) {
    napi_call_function(env_, receiver, code, 0, nullptr, nullptr);
    return false;
  }
  isolate_.runMicrotasks();
  section.enter(dueNs);
  engine_->dispatcher.watch(dueNs);
  if (napi_call_function(env_, receiver, code, 0, nullptr, nullptr) == napi_ok) {
    isolate_.runMicrotasks();
  }
  if (!section.leave()) return false;
  isolate_.cancelTermination();
  bool isPending = false;
  napi_value dropped = nullptr;
  if (napi_is_exception_pending(env_, &isPending) == napi_ok && isPending) {
    napi_get_and_clear_last_exception(env_, &dropped);
  }
  data_.scopedToken.reset();
  return true;
}

// Has Node.js handle an error as uncaught, after which it begins with an empty stack of
// asynchronous contexts: code that was interrupted has not left its own.
void BatchWorker::raiseUncaught(napi_value error) { napi_fatal_exception(env_, error); }

}  // namespace cloudeasyml::bindings
