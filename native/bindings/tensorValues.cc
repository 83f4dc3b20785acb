#include "bindings/tensorValues.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "bindings/errors.h"
#include "bindings/text.h"
#include "runtime/elementType.h"

namespace cloudeasyml::bindings {

namespace {

// Node frees the memory behind a view only when its event loop turns. A thread that runs model
// after model without a turn would pile them up: beyond this much, outputs are copied instead.
constexpr size_t kMaxViewedBytes = size_t{64} << 20;

/// Of UTF-8, in bytes.
constexpr size_t kLongestCharacter = 4;

constexpr double kMaxSafeInteger = 9007199254740991.0;

/// ORT's memory for as long as JavaScript has a view of it.
struct View {
  // Destroyed after the value.
  std::shared_ptr<void> keptAlive;
  Ort::Value value;
  std::shared_ptr<std::atomic<size_t>> viewedBytes;
  size_t bytes;
};

void finalizeView(napi_env, void*, void* hint) {
  const std::unique_ptr<View> view(static_cast<View*>(hint));
  *view->viewedBytes -= view->bytes;
}

napi_value stringsOf(Napi::Env env, const Ort::Value& value) {
  const size_t count = value.GetTensorTypeAndShapeInfo().GetElementCount();
  const size_t length = value.GetStringTensorDataLength();
  std::vector<char> bytes(length);
  std::vector<size_t> offsets(count + 1, length);
  if (count > 0) value.GetStringTensorContent(bytes.data(), length, offsets.data(), count);
  const bool isAscii =
      std::all_of(bytes.begin(), bytes.end(), [](unsigned char byte) { return byte < 0x80; });
  // What is ASCII need not be decoded.
  const auto create = isAscii ? napi_create_string_latin1 : napi_create_string_utf8;
  auto strings = Napi::Array::New(env, count);
  for (size_t i = 0; i < count; ++i) {
    Napi::HandleScope scope(env);
    napi_value text = nullptr;
    NAPI_THROW_IF_FAILED(
        env, create(env, bytes.data() + offsets[i], offsets[i + 1] - offsets[i], &text), nullptr);
    strings.Set(static_cast<uint32_t>(i), text);
  }
  return strings;
}

napi_value copyOf(Napi::Env env, const void* memory, size_t bytes) {
  auto copy = Napi::ArrayBuffer::New(env, bytes);
  if (bytes > 0) std::memcpy(copy.Data(), memory, bytes);
  return copy;
}

}  // namespace

Dims readDims(const double* numbers, size_t rank) {
  Dims dims(rank);
  for (size_t i = 0; i < rank; ++i) {
    const double number = numbers[i];
    if (!(number >= 0 && number <= kMaxSafeInteger)) {
      throw Error(ErrorCode::kInvalidInput, "Axis " + std::to_string(i) + " has no valid length.");
    }
    dims[i] = static_cast<int64_t>(number);
  }
  return dims;
}

Dims dimsFrom(Napi::Array array) {
  std::vector<double> numbers(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) {
    numbers[i] = array.Get(i).ToNumber().DoubleValue();
  }
  return readDims(numbers.data(), numbers.size());
}

Napi::Array dimsOf(Napi::Env env, const Ort::Value& value) {
  const auto shape = value.GetTensorTypeAndShapeInfo().GetShape();
  auto dims = Napi::Array::New(env, shape.size());
  for (uint32_t i = 0; i < shape.size(); ++i) dims.Set(i, static_cast<double>(shape[i]));
  return dims;
}

size_t byteLengthOf(const Dims& dims, ONNXTensorElementDataType type) {
  size_t bytes = std::max<size_t>(runtime::elementSize(type), 1);
  bool overflow = false;
  for (const int64_t dim : dims) {
    if (dim == 0) return 0;
    const auto length = static_cast<size_t>(dim);
    overflow = overflow || bytes > std::numeric_limits<size_t>::max() / length;
    bytes *= length;
  }
  if (overflow)
    throw Error(ErrorCode::kInvalidInput, "The shape has more elements than memory can hold.");
  return bytes;
}

Ort::Value wrapMemory(void* memory, size_t available, const Dims& dims,
                      ONNXTensorElementDataType type, const std::string& name) {
  const size_t needed = byteLengthOf(dims, type);
  if (available < needed) {
    throw Error(ErrorCode::kInvalidInput, "\"" + name + "\" needs " + std::to_string(needed) +
                                              " bytes for its shape, but its memory has " +
                                              std::to_string(available) +
                                              (available == 0 ? ": it was detached." : "."));
  }
  // ORT wants an address even where there is nothing at it.
  static char nothing[SharedFrame::kAlignment];
  return Ort::Value::CreateTensor(Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault),
                                  memory && needed > 0 ? memory : nothing, needed, dims.data(),
                                  dims.size(), type);
}

Ort::Value wrapTypedArray(Napi::Env env, napi_value typedArray, const Dims& dims,
                          ONNXTensorElementDataType type, const std::string& name) {
  napi_typedarray_type elementType;
  size_t length = 0;
  void* memory = nullptr;
  if (napi_get_typedarray_info(env, typedArray, &elementType, &length, &memory, nullptr, nullptr) !=
      napi_ok) {
    throw Error(ErrorCode::kInvalidInput, "The data of \"" + name + "\" is not a typed array.");
  }
  static constexpr size_t kElementBytes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  const auto at = static_cast<size_t>(elementType);
  const size_t elementBytes = at < std::size(kElementBytes) ? kElementBytes[at] : 1;
  return wrapMemory(memory, length * elementBytes, dims, type, name);
}

Ort::Value copyStrings(Napi::Env env, napi_value array, const Dims& dims, const std::string& name) {
  const size_t count = byteLengthOf(dims, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  const Napi::Array source = Napi::Value(env, array).As<Napi::Array>();
  if (!source.IsArray() || source.Length() != count) {
    throw Error(ErrorCode::kInvalidInput, "\"" + name + "\" needs an array of " +
                                              std::to_string(count) + " strings for its shape.");
  }
  Ort::AllocatorWithDefaultOptions allocator;
  auto value = Ort::Value::CreateTensor(allocator, dims.data(), dims.size(),
                                        ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  std::array<char, 256> brief;
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    Napi::HandleScope scope(env);
    const napi_value element = source.Get(static_cast<uint32_t>(i));
    size_t size = 0;
    if (napi_get_value_string_utf8(env, element, brief.data(), brief.size(), &size) != napi_ok) {
      throw Error(ErrorCode::kInvalidInput,
                  "Element " + std::to_string(i) + " of \"" + name + "\" is not a string.");
    }
    const char* bytes = brief.data();
    // Without room left for another character something may have been cut off.
    if (size + kLongestCharacter >= brief.size()) {
      readText(env, element, text);
      bytes = text.data();
      size = text.size();
    }
    // With its length: a string may hold zero bytes.
    std::memcpy(value.GetResizedStringTensorElementBuffer(i, size), bytes, size);
  }
  return value;
}

Ort::Value tensorFrom(Napi::Env env, napi_value data, const Dims& dims,
                      const runtime::TensorInfo& info) {
  return info.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING
             ? copyStrings(env, data, dims, info.name)
             : wrapTypedArray(env, data, dims, info.type, info.name);
}

napi_value viewOf(Napi::Env env, Ort::Value& value, size_t bytes, std::shared_ptr<void> keptAlive) {
  const auto& viewedBytes = AddonData::of(env).viewedBytes;
  if (*viewedBytes > 0 && *viewedBytes + bytes > kMaxViewedBytes) return nullptr;
  void* memory = value.GetTensorMutableRawData();
  auto view =
      std::make_unique<View>(View{std::move(keptAlive), std::move(value), viewedBytes, bytes});
  *viewedBytes += bytes;
  napi_value buffer;
  if (napi_create_external_arraybuffer(env, memory, bytes, finalizeView, view.get(), &buffer) !=
      napi_ok) {
    // Some embedders of V8 refuse foreign memory.
    *viewedBytes -= bytes;
    value = std::move(view->value);
    return nullptr;
  }
  view.release();
  return buffer;
}

napi_value elementsOf(Napi::Env env, Ort::Value value, std::shared_ptr<runtime::Session> session) {
  const auto info = value.GetTensorTypeAndShapeInfo();
  const auto type = info.GetElementType();
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) return stringsOf(env, value);

  const size_t bytes = info.GetElementCount() * runtime::elementSize(type);
  if (bytes > SharedFrame::kSmallTensorBytes) {
    if (napi_value view = viewOf(env, value, bytes, std::move(session))) return view;
  }
  return copyOf(env, value.GetTensorRawData(), bytes);
}

}  // namespace cloudeasyml::bindings
