#include "bindings/addonData.h"

namespace cloudeasyml::bindings {

AddonData::AddonData(Napi::Env env) : asyncRuns(env) {
  auto buffer = Napi::ArrayBuffer::New(env, Frame::kBytes);
  frame.bytes = static_cast<char*>(buffer.Data());
  frame.buffer = Napi::Persistent(buffer);
}

const std::shared_ptr<runtime::CancellationToken>& AddonData::token() {
  if (scopedToken) return scopedToken;
  if (!threadToken_) threadToken_ = makeToken(engine, threadId);
  return threadToken_;
}

std::shared_ptr<runtime::CancellationToken> makeToken(const std::shared_ptr<Engine>& engine,
                                                      int threadId) {
  std::shared_ptr<runtime::CancellationToken> token(new runtime::CancellationToken(threadId),
                                                    [engine](runtime::CancellationToken* token) {
                                                      engine->runtime.runs.remove(*token);
                                                      delete token;
                                                    });
  engine->runtime.runs.add(*token);
  return token;
}

}  // namespace cloudeasyml::bindings
