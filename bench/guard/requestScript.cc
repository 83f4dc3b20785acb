// Fixed requests through the engine on one thread, each step in the place of the thread that would
// take it: the front end hands them in, a worker reads, runs and answers a batch, the front end
// takes the answers. With nobody to wait for, one run is nearly the same as the next.
//
// requestScript <ONNX Runtime library> {<model> <body file> <requests> <requests per batch>}
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "backends/onnxBackend.h"
#include "engine.h"
#include "protocols/envelope.h"
#include "protocols/predictProtocol.h"
#include "protocols/routeScan.h"
#include "serving/requestPool.h"
#include "serving/time.h"

using namespace cloudeasyml;

namespace {

// The deployment's id in every body.
constexpr char kDeployment[] = "guard";
constexpr int kWarmUpBatches = 4;
constexpr int kArgumentsPerScript = 4;
/// With a window, batches are as large as they may be, however slow valgrind makes the model.
constexpr int64_t kWindowNs = 3'600'000 * serving::kMillisecond;

class RequestScript {
 public:
  RequestScript(Engine& engine, const char* model, std::string body, uint32_t perBatch)
      : engine_(engine),
        body_(std::move(body)),
        channel_(std::make_shared<serving::Channel>(std::make_shared<serving::WakeHandle>([] {}))),
        pool_(std::make_shared<serving::RequestPool>(channel_, engine.budget)),
        worker_(engine.dispatcher.addWorker(std::make_shared<serving::WakeHandle>([] {}), [] {
          return std::make_shared<runtime::CancellationToken>(0);
        })) {
    runtime::SessionRequest request;
    request.path = model;
    request.providers = {{"cpu", {}}};
    serving::BatchLimits limits;
    limits.maxBatchSize = perBatch;
    limits.maxQueueDelayNs = kWindowNs;
    limits.timeoutNs = 2 * kWindowNs;
    backends::OnnxOptions options;
    options.metadata = R"({"modelName":"guard"})";
    deployment_ = engine.directory.add(
        0, limits,
        std::make_shared<backends::OnnxBackend>(engine.runtime.openSession(request), options,
                                                engine.runtime.runs));
    engine.directory.route(kDeployment, {{deployment_, 1}});
    engine.dispatcher.host(*worker_, deployment_->handle);
    deployment_->accepting = true;
  }

  ~RequestScript() {
    engine_.dispatcher.remove(deployment_);
    engine_.directory.unroute(kDeployment);
    engine_.dispatcher.removeWorker(*worker_);
  }

  void serveBatch(size_t requests) {
    auto& dispatcher = engine_.dispatcher;
    for (size_t i = 0; i < requests; ++i) handIn(static_cast<uint32_t>(i));
    dispatcher.wakeWorkers(deployment_);
    serving::Batch* batch = dispatcher.take(*worker_, serving::Waiting::kNatively);
    if (!batch || batch->requests.size() != requests) {
      throw std::runtime_error("The worker was not given the requests as one batch.");
    }
    dispatcher.run(*worker_, batch);
    dispatcher.take(*worker_, serving::Waiting::kNatively);
    takeAnswers(requests);
  }

 private:
  void handIn(uint32_t ticket) {
    serving::Request* request = nullptr;
    pool_->open(ticket, 0, body_.data(), body_.size(), request);
    request->protocol = &protocols::predictProtocol(false, false);
    std::string_view id;
    protocols::scanEnvelope(request->body.view(), request->envelope);
    if (protocols::scanDeploymentId(request->body.view(), id) != protocols::RouteScan::kFound ||
        engine_.dispatcher.submit(request, id, 0).admission != Admission::kQueued) {
      throw std::runtime_error("The engine refused a request.");
    }
  }

  void takeAnswers(size_t requests) {
    channel_->drain(drained_);
    if (drained_.size() != requests) throw std::runtime_error("Answers are missing.");
    size_t at = 0;
    for (auto* request : drained_) {
      if (request->outcome != Outcome::kAnswered) {
        throw std::runtime_error("A request failed: " + request->failure->detail);
      }
      outbox_.resize(std::max(outbox_.size(), at + request->answer.size()));
      std::memcpy(outbox_.data() + at, request->answer.data(), request->answer.size());
      at += request->answer.size();
      pool_->release(request);
    }
    drained_.clear();
  }

  Engine& engine_;
  const std::string body_;
  std::shared_ptr<serving::Channel> channel_;
  std::shared_ptr<serving::RequestPool> pool_;
  std::shared_ptr<serving::Worker> worker_;
  std::shared_ptr<serving::Deployment> deployment_;
  std::vector<serving::Request*> drained_;
  std::vector<char> outbox_;
};

std::string contentOf(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

// What is counted, once for each script: bench/guard/instructions.mjs knows it by this name.
extern "C" __attribute__((noinline)) void guardedRequests(RequestScript& script, size_t requests,
                                                          size_t perBatch) {
  for (size_t served = 0; served < requests; served += perBatch) script.serveBatch(perBatch);
}

int main(int count, char** args) {
  if (count < 2 || (count - 2) % kArgumentsPerScript != 0) {
    std::fprintf(stderr,
                 "Usage: requestScript <ONNX Runtime library> {<model> <body file> <requests> "
                 "<requests per batch>}\n");
    return 2;
  }
  try {
    Engine engine;
    runtime::RuntimeSettings settings;
    settings.library = args[1];
    engine.runtime.start(settings);
    for (char** arg = args + 2; *arg; arg += kArgumentsPerScript) {
      const size_t requests = std::strtoul(arg[2], nullptr, 10);
      const size_t perBatch = std::strtoul(arg[3], nullptr, 10);
      RequestScript script(engine, arg[0], contentOf(arg[1]), static_cast<uint32_t>(perBatch));
      // The first batches fill pools, buffers and ONNX Runtime's memory plans.
      for (int i = 0; i < kWarmUpBatches; ++i) script.serveBatch(perBatch);
      guardedRequests(script, requests, perBatch);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
