#include "runtime/threadReserve.h"

#include <future>
#include <thread>
#include <utility>

namespace cloudeasyml::runtime {

/// Waits for one job, or to be dismissed, and ends with it.
class ThreadReserve::Thread {
 public:
  Thread() : thread_(&Thread::work, job_.get_future()) {}
  ~Thread() {
    if (!isAssigned_) assign(nullptr, nullptr);
    thread_.join();
  }

  void assign(OrtThreadWorkerFn run, void* argument) {
    isAssigned_ = true;
    job_.set_value({run, argument});
  }

 private:
  struct Job {
    OrtThreadWorkerFn run;
    void* argument;
  };

  static void work(std::future<Job> assigned) {
    const Job job = assigned.get();
    if (job.run) job.run(job.argument);
  }

  std::promise<Job> job_;
  bool isAssigned_ = false;
  std::thread thread_;
};

ThreadReserve::ThreadReserve(size_t count) {
  threads_.reserve(count);
  while (threads_.size() < count) threads_.push_back(std::make_unique<Thread>());
}

ThreadReserve::~ThreadReserve() = default;

void ThreadReserve::supply(Ort::SessionOptions& options) {
  options.SetCustomCreateThreadFn(take);
  options.SetCustomThreadCreationOptions(this);
  options.SetCustomJoinThreadFn(join);
}

void ThreadReserve::supply(Ort::ThreadingOptions& options) {
  options.SetGlobalCustomCreateThreadFn(take);
  options.SetGlobalCustomThreadCreationOptions(this);
  options.SetGlobalCustomJoinThreadFn(join);
}

OrtCustomThreadHandle ThreadReserve::take(void* self, OrtThreadWorkerFn work,
                                          void* argument) noexcept {
  try {
    auto& threads = static_cast<ThreadReserve*>(self)->threads_;
    if (threads.empty()) threads.push_back(std::make_unique<Thread>());
    threads.back()->assign(work, argument);
    auto* thread = threads.back().release();
    threads.pop_back();
    return reinterpret_cast<OrtCustomThreadHandle>(thread);
  } catch (...) {
    return nullptr;
  }
}

void ThreadReserve::join(OrtCustomThreadHandle handle) noexcept {
  // ONNX Runtime's handle is a pointer to const, of a type that nothing has.
  delete reinterpret_cast<Thread*>(const_cast<OrtCustomHandleType*>(handle));
}

}  // namespace cloudeasyml::runtime
