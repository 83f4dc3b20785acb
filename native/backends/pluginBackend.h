// A plugin's code, which JavaScript runs.
#pragma once

#include <memory>

#include "protocols/jsonRequest.h"
#include "protocols/protocol.h"
#include "serving/backend.h"
#include "serving/request.h"

namespace cloudeasyml::backends {

/// The engine counts the rows of its requests; a worker's JavaScript reads and answers them.
class PluginBackend final : public serving::Backend {
 public:
  std::unique_ptr<serving::ExecutionContext> makeContext() const override {
    return std::make_unique<Context>();
  }
  bool isNative() const noexcept override { return false; }
  bool joinsRequests() const noexcept override { return true; }

 private:
  class Context final : public serving::ExecutionContext {
   public:
    void read(serving::Request& request) override {
      // Known from an earlier look.
      if (request.rows > 0) return;
      request.rows = request.protocol->countRows(request.body, reader_);
    }
    void unread() noexcept override {}
    void run(const serving::Batch&, const runtime::CancellationToken&) override {}
    void clear() noexcept override {}

   private:
    protocols::JsonReader reader_;
  };
};

}  // namespace cloudeasyml::backends
