// How many times per second a model can be run: threads that call `OrtApi::Run` on one session, and
// nothing around it.
//
//   throughput <library> <model.onnx> <shape> <input file> <threads> <intra-op threads> <seconds> <output file>
//
// The model has one float32 input and one output. Prints JSON: the runs of all threads, the seconds that
// they took, the quantiles of a run's microseconds, and the bytes that the process held before the model
// was opened and at the end. The first run's output goes to the output file.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>

#include <unistd.h>

#include "ortLoop.h"

namespace {

/// Of this process; 0 where the system has no /proc.
long residentBytes() {
  std::ifstream file("/proc/self/statm");
  long total = 0;
  long resident = 0;
  return file >> total >> resident ? resident * sysconf(_SC_PAGESIZE) : 0;
}

void measure(char** arguments) {
  const OrtApi* api = bench::apiOf(arguments[1]);
  Ort::InitApi(api);
  const Ort::Env env(ORT_LOGGING_LEVEL_FATAL, "throughput");
  auto bytes = bench::readFile(arguments[4]);
  const long before = residentBytes();
  auto session = bench::openSession(env, arguments[2], std::atoi(arguments[6]));
  const auto input = bench::tensorOver(bytes, bench::elementType("float32"),
                                       bench::parseShape(arguments[3]));
  const int threadCount = std::atoi(arguments[5]);
  const double seconds = std::atof(arguments[7]);

  const OrtValue* const inputs[] = {input};
  const char* const inputNames[] = {"input"};
  const char* const outputNames[] = {"output"};
  const auto run = [&] {
    OrtValue* output = nullptr;
    Ort::ThrowOnError(api->Run(session, nullptr, inputNames, inputs, 1, outputNames, 1, &output));
    return Ort::Value(output);
  };
  bench::writeTensor(arguments[8], run());

  std::vector<std::vector<double>> times(static_cast<size_t>(threadCount));
  std::atomic<int> waiting{threadCount};
  std::vector<std::thread> threads;
  for (auto& own : times) {
    threads.emplace_back([&] {
      for (int warmUp = 0; warmUp < 3; ++warmUp) run();
      own.reserve(1 << 20);
      --waiting;
      while (waiting > 0) std::this_thread::yield();
      const auto start = bench::Clock::now();
      for (double last = 0; last < seconds;) {
        run();
        const double now = bench::secondsSince(start);
        own.push_back(now - last);
        last = now;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const long after = residentBytes();

  std::vector<double> all;
  double longest = 0;
  for (const auto& own : times) {
    double total = 0;
    for (const double time : own) total += time;
    longest = std::max(longest, total);
    all.insert(all.end(), own.begin(), own.end());
  }
  std::sort(all.begin(), all.end());
  const auto quantile = [&](double share) {
    return all[static_cast<size_t>(share * static_cast<double>(all.size() - 1))] * 1e6;
  };
  std::printf(
      "{\"runs\": %zu, \"seconds\": %.6f, \"p50Us\": %.1f, \"p90Us\": %.1f, \"p99Us\": %.1f, "
      "\"residentBefore\": %ld, \"resident\": %ld}\n",
      all.size(), longest, quantile(0.5), quantile(0.9), quantile(0.99), before, after);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 9) {
    std::fprintf(stderr,
                 "Usage: throughput <library> <model> <shape> <input> <threads> <intra-op threads> "
                 "<seconds> <output>\n");
    return 2;
  }
  try {
    measure(arguments);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
