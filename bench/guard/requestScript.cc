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

#include "codec/routeScan.h"
#include "engine.h"
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
        channel_(std::make_shared<serving::Channel>([] {}, size_t{1} << 30)),
        worker_(engine.scheduler.addWorker([] {},
                                           [] { return std::make_shared<runtime::RunFlag>(0); })) {
    runtime::SessionRequest request;
    request.path = model;
    request.providers = {{"cpu", {}}};
    serving::BatchLimits limits;
    limits.maxBatchSize = perBatch;
    limits.maxQueueDelayNs = kWindowNs;
    deployment_ =
        engine.scheduler.add(kDeployment, 0, limits,
                             std::make_shared<serving::OnnxModel>(
                                 engine.runtime.openSession(request), R"({"modelName":"guard"})"));
    touched_ = {deployment_->handle};
    engine.scheduler.host(*worker_, deployment_->handle);
    engine.scheduler.setAccepting(*deployment_, true);
  }

  ~RequestScript() {
    engine_.scheduler.remove(*deployment_);
    engine_.scheduler.removeWorker(*worker_);
  }

  void serveBatch(size_t requests) {
    auto& scheduler = engine_.scheduler;
    for (size_t i = 0; i < requests; ++i) handIn(static_cast<uint32_t>(i));
    scheduler.wakeWorkers(touched_);
    serving::Batch* batch = scheduler.take(*worker_, serving::Waiting::kNatively);
    if (!batch || batch->requests.size() != requests) {
      throw std::runtime_error("The worker was not given the requests as one batch.");
    }
    worker_->runner.run(*batch, *worker_->flag);
    scheduler.finish(*worker_, batch);
    scheduler.take(*worker_, serving::Waiting::kNatively);
    takeAnswers(requests);
  }

 private:
  void handIn(uint32_t ticket) {
    serving::Request* request = channel_->open(ticket, body_.data(), body_.size());
    std::string_view id;
    if (codec::scanDeploymentId(request->body.view(), id) != codec::RouteScan::kFound ||
        engine_.scheduler.submit(request, id, 0).admission != Admission::kQueued) {
      throw std::runtime_error("The engine refused a request.");
    }
  }

  void takeAnswers(size_t requests) {
    channel_->drain(drained_);
    if (drained_.size() != requests) throw std::runtime_error("Answers are missing.");
    size_t at = 0;
    for (auto* request : drained_) {
      if (request->outcome != Outcome::kAnswered) {
        throw std::runtime_error("A request failed: " + request->answer);
      }
      outbox_.resize(std::max(outbox_.size(), at + request->answer.size()));
      std::memcpy(outbox_.data() + at, request->answer.data(), request->answer.size());
      at += request->answer.size();
      channel_->release(request);
    }
    drained_.clear();
  }

  Engine& engine_;
  const std::string body_;
  std::shared_ptr<serving::Channel> channel_;
  std::shared_ptr<serving::Worker> worker_;
  std::shared_ptr<serving::Deployment> deployment_;
  std::vector<uint32_t> touched_;
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
