// Running a batch of a model without code on the calling thread.
#pragma once

#include "serving/scheduler.h"

namespace cloudeasyml::bindings {

/// Runs a batch and ends it, however that goes. @returns false where it could not be run: then
/// finish() saw to what it left unanswered
inline bool runBatch(serving::Scheduler& scheduler, serving::Worker& worker,
                     serving::Batch* batch) {
  bool isDone = true;
  try {
    worker.runner.run(*batch, *worker.token);
  } catch (const std::exception&) {
    isDone = false;
  }
  scheduler.finish(worker, batch);
  return isDone;
}

}  // namespace cloudeasyml::bindings
