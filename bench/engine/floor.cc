// The least that running a model can cost: `OrtApi::Run` in a loop, and nothing around it.
//
//   floor <ONNX Runtime library> <model.onnx> <type> <shape> <input file> <seconds> <output file>
//
// The model has one input and one output. Prints JSON: the median of the microseconds per call, for a
// caller that owns the output's memory and for one that has ONNX Runtime allocate it; the output goes
// to the output file.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "ortLoop.h"

namespace {

/// As long as benchmark.js's samples, so that both feel a busy machine alike.
double sampleSeconds(double seconds) {
  return std::min(0.05, seconds / 8);
}

template <typename Call>
double secondsPerCall(const Call& call, size_t calls) {
  const auto start = bench::Clock::now();
  for (size_t i = 0; i < calls; ++i) call();
  return bench::secondsSince(start) / static_cast<double>(calls);
}

/// Median of samples, after a warm-up as long as one.
template <typename Call>
double medianMicroseconds(const Call& call, double seconds) {
  size_t calls = 1;
  double each = secondsPerCall(call, calls);
  while (each * static_cast<double>(calls) < sampleSeconds(seconds)) {
    calls *= 2;
    each = secondsPerCall(call, calls);
  }
  std::vector<double> samples;
  const auto start = bench::Clock::now();
  while (samples.size() < 5 || bench::secondsSince(start) < seconds) {
    samples.push_back(secondsPerCall(call, calls));
  }
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle * 1e6;
}

void measure(char** arguments) {
  const OrtApi* api = bench::apiOf(arguments[1]);
  Ort::InitApi(api);
  const Ort::Env env(ORT_LOGGING_LEVEL_FATAL, "floor");
  auto session = bench::openSession(env, arguments[2], 1);
  auto bytes = bench::readFile(arguments[5]);
  const auto input = bench::tensorOver(bytes, bench::elementType(arguments[3]),
                                       bench::parseShape(arguments[4]));
  const double seconds = std::atof(arguments[6]);

  const OrtValue* const inputs[] = {input};
  const char* const inputNames[] = {"input"};
  const char* const outputNames[] = {"output"};
  const auto run = [&](OrtValue** outputs) {
    Ort::ThrowOnError(api->Run(session, nullptr, inputNames, inputs, 1, outputNames, 1, outputs));
  };

  OrtValue* first = nullptr;
  run(&first);
  const Ort::Value output(first);
  OrtValue* owned = first;
  const double ownedMicroseconds = medianMicroseconds([&] { run(&owned); }, seconds);
  const double allocatedMicroseconds = medianMicroseconds(
      [&] {
        OrtValue* allocated = nullptr;
        run(&allocated);
        api->ReleaseValue(allocated);
      },
      seconds);
  bench::writeTensor(arguments[7], output);
  std::printf("{\"owned\": %.4f, \"allocated\": %.4f}\n", ownedMicroseconds, allocatedMicroseconds);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 8) {
    std::fprintf(stderr,
                 "Usage: floor <library> <model> <type> <shape> <input> <seconds> <output>\n");
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
