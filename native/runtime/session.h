// A loaded model, shared by every thread of the process.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/deviceLocks.h"
#include "runtime/deviceMemory.h"

namespace cloudeasyml::runtime {

/// What an ONNX value is.
enum class ValueKind {
  kTensor,
  kSequenceOfTensors,
  kSequenceOfMaps,
  kMap,
  /// A tensor, or a sequence of tensors, that may be absent.
  kOptional,
  /// Sparse tensors, sequences of sequences and the like.
  kOther,
};

/// A graph input's or output's declared type.
struct TensorInfo {
  std::string name;
  ValueKind kind = ValueKind::kTensor;
  /// A tensor's element type; UNDEFINED for every other kind.
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  /// A map's key type, for kMap and kSequenceOfMaps.
  ONNXTensorElementDataType keyType = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  /// The element type of what a map, a sequence or an optional holds.
  ONNXTensorElementDataType valueType = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  /// One entry per axis, -1 where the model leaves it open. Empty for a scalar.
  std::vector<int64_t> dims;
  /// One entry per axis: the symbolic name ("batch"), or "" where the model gives none.
  std::vector<std::string> dimNames;
};

/// "float32", "sequence(map(int64, float32))", "optional(string)": the declared type for messages.
std::string describeType(const TensorInfo& info);

/// An ORT session and its cached metadata. Any thread may run it.
class Session {
 public:
  /// Takes over a loaded session; `providers` lists what was really appended, in order.
  /// `deviceLock` is what all that touches its device must hold, or null.
  Session(Ort::Session session, std::vector<std::string> providers,
          std::shared_ptr<std::mutex> deviceLock);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const std::vector<TensorInfo>& inputs() const noexcept { return inputs_; }
  const std::vector<TensorInfo>& outputs() const noexcept { return outputs_; }
  /// Null-terminated names in declaration order, as OrtApi::Run takes them.
  const std::vector<const char*>& inputNames() const noexcept { return inputNames_; }
  const std::vector<const char*>& outputNames() const noexcept { return outputNames_; }
  const std::vector<std::string>& providers() const noexcept { return providers_; }
  const DeviceMemory& memory() const noexcept { return memory_; }
  Ort::Session& ort() noexcept { return session_; }

  /// Held around every call that touches the device: runs, bindings, copies, and freeing a tensor
  /// that lies there. Holds nothing where such calls may run side by side.
  std::unique_lock<std::mutex> lockDevice() const { return lockIfAny(deviceLock_); }

 private:
  std::shared_ptr<std::mutex> deviceLock_;
  Ort::Session session_;
  DeviceMemory memory_;
  std::vector<std::string> providers_;
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;
  std::vector<const char*> inputNames_;
  std::vector<const char*> outputNames_;
};

}  // namespace cloudeasyml::runtime
