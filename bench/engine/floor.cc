// The least that running a model can cost: `OrtApi::Run` in a loop, and nothing around it.
//
//   floor <ONNX Runtime library> <model.onnx> <input file> <rows> <seconds> <output file>
//
// The model has one float32 input [rows, …] and one float32 output. Prints JSON: the median of the
// microseconds per call, for a caller that owns the output's memory and for one that has ONNX
// Runtime allocate it; the output's bytes go to the output file.
#include <dlfcn.h>
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

/// As long as benchmark.js's samples, so that both feel a busy machine alike.
constexpr double kSampleSeconds = 0.05;

const OrtApi* apiOf(const char* library) {
  void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) throw std::runtime_error(dlerror());
  const auto getBase = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(handle, "OrtGetApiBase"));
  if (!getBase) throw std::runtime_error("OrtGetApiBase is missing.");
  const OrtApi* api = getBase()->GetApi(ORT_API_VERSION);
  if (!api) throw std::runtime_error("The ONNX Runtime library is older than the headers.");
  return api;
}

std::vector<float> readFloats(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<float> numbers(bytes.size() / sizeof(float));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(numbers.data()));
  return numbers;
}

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

template <typename Call>
double secondsPerCall(const Call& call, size_t calls) {
  const auto start = Clock::now();
  for (size_t i = 0; i < calls; ++i) call();
  return secondsSince(start) / static_cast<double>(calls);
}

/// Median of samples of about kSampleSeconds each, after as long a warm-up.
template <typename Call>
double medianMicroseconds(const Call& call, double seconds) {
  size_t calls = 1;
  double each = secondsPerCall(call, calls);
  while (each * static_cast<double>(calls) < kSampleSeconds) {
    calls *= 2;
    each = secondsPerCall(call, calls);
  }
  std::vector<double> samples;
  const auto start = Clock::now();
  while (samples.size() < 5 || secondsSince(start) < seconds) {
    samples.push_back(secondsPerCall(call, calls));
  }
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle * 1e6;
}

void measure(char** arguments) {
  const auto [library, model, inputFile, rows, seconds, outputFile] =
      std::tuple(arguments[1], arguments[2], arguments[3], std::atoll(arguments[4]),
                 std::atof(arguments[5]), arguments[6]);
  const OrtApi* api = apiOf(library);
  Ort::InitApi(api);
  const Ort::Env env(ORT_LOGGING_LEVEL_FATAL, "floor");
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(1);
  options.SetInterOpNumThreads(1);
  Ort::Session session(env, model, options);

  auto elements = readFloats(inputFile);
  const std::vector<int64_t> shape{rows, static_cast<int64_t>(elements.size()) / rows};
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  const auto input = Ort::Value::CreateTensor<float>(memory, elements.data(), elements.size(),
                                                     shape.data(), shape.size());
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

  const size_t bytes = output.GetTensorTypeAndShapeInfo().GetElementCount() * sizeof(float);
  std::ofstream(outputFile, std::ios::binary)
      .write(output.GetTensorData<char>(), static_cast<std::streamsize>(bytes));
  std::printf("{\"owned\": %.4f, \"allocated\": %.4f}\n", ownedMicroseconds, allocatedMicroseconds);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 7) {
    std::fprintf(stderr, "Usage: floor <library> <model> <input> <rows> <seconds> <output>\n");
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
