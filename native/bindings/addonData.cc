#include "bindings/addonData.h"

namespace cloudeasyml::bindings {

AddonData::AddonData(Napi::Env env) : asyncRuns(env) {
  auto buffer = Napi::ArrayBuffer::New(env, Frame::kBytes);
  frame.bytes = static_cast<char*>(buffer.Data());
  frame.buffer = Napi::Persistent(buffer);
}

const std::shared_ptr<runtime::RunFlag>& AddonData::runFlag() {
  if (scopedFlag) return scopedFlag;
  if (!threadFlag_) threadFlag_ = makeRunFlag(engine, threadId);
  return threadFlag_;
}

std::shared_ptr<runtime::RunFlag> makeRunFlag(const std::shared_ptr<Engine>& engine, int threadId) {
  std::shared_ptr<runtime::RunFlag> flag(new runtime::RunFlag(threadId),
                                         [engine](runtime::RunFlag* flag) {
                                           engine->runtime.runs.remove(*flag);
                                           delete flag;
                                         });
  engine->runtime.runs.add(*flag);
  return flag;
}

}  // namespace cloudeasyml::bindings
