#include "codec/binaryTensors.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "codec/requestError.h"
#include "runtime/elementType.h"

namespace cloudeasyml::codec {

namespace ondemand = simdjson::ondemand;

namespace {

/// One entry of "tensors", before it is held against a model.
struct Described {
  std::string path;
  std::string name;
  bool named = false;
  std::string type;
  std::vector<int64_t> dims;
};

[[noreturn]] void refuse(const std::string& path, const std::string& detail) {
  throw RequestError("invalid_input", path, detail);
}

std::string listed(const std::vector<int64_t>& dims) {
  std::string text = "[";
  for (const int64_t dim : dims) {
    if (text.size() > 1) text += ", ";
    text += dim < 0 ? "any" : std::to_string(dim);
  }
  return text + "]";
}

std::string textOf(ondemand::value value, const std::string& path) {
  std::string_view text;
  if (const auto error = value.get_string().get(text)) {
    if (error != simdjson::INCORRECT_TYPE) throwMalformed(error);
    refuse(path, "Expected a string.");
  }
  return std::string(text);
}

std::vector<int64_t> dimsOf(ondemand::value value, const std::string& path) {
  static const char kExpected[] = "Expected an array of whole numbers, one length per axis.";
  ondemand::array array;
  if (const auto error = value.get_array().get(array)) {
    if (error != simdjson::INCORRECT_TYPE) throwMalformed(error);
    refuse(path, kExpected);
  }
  std::vector<int64_t> dims;
  for (auto each : array) {
    int64_t dim = -1;
    if (each.get_int64().get(dim) || dim < 0) refuse(path, kExpected);
    dims.push_back(dim);
  }
  return dims;
}

std::vector<Described> describe(ondemand::value value) {
  ondemand::array array;
  if (const auto error = value.get_array().get(array)) {
    if (error != simdjson::INCORRECT_TYPE) throwMalformed(error);
    refuse("tensors", "Expected an array of objects with \"name\", \"type\" and \"dims\".");
  }
  std::vector<Described> all;
  for (auto each : array) {
    Described one;
    one.path = "tensors[" + std::to_string(all.size()) + "]";
    ondemand::object object;
    if (const auto error = each.get_object().get(object)) {
      if (error != simdjson::INCORRECT_TYPE) throwMalformed(error);
      refuse(one.path, "Expected an object with \"name\", \"type\" and \"dims\".");
    }
    bool hasDims = false;
    for (auto item : object) {
      auto member = parsed(std::move(item));
      const auto key = parsed(member.unescaped_key(false));
      if (key == "name") {
        one.name = textOf(member.value(), one.path + ".name");
        one.named = true;
      } else if (key == "type") {
        one.type = textOf(member.value(), one.path + ".type");
      } else if (key == "dims") {
        one.dims = dimsOf(member.value(), one.path + ".dims");
        hasDims = true;
      } else {
        validate(member.value());
      }
    }
    if (one.type.empty()) refuse(one.path + ".type", "Expected the type of the elements.");
    if (!hasDims) refuse(one.path + ".dims", "Expected the lengths of the axes.");
    all.push_back(std::move(one));
  }
  return all;
}

std::string inputNames(const std::vector<InputSpec>& specs) {
  std::string text;
  for (const auto& spec : specs) text += (text.empty() ? "\"" : ", \"") + spec.name + "\"";
  return text;
}

size_t inputOf(const Described& tensor, const std::vector<InputSpec>& specs) {
  if (!tensor.named && specs.size() == 1) return 0;
  const auto spec = std::find_if(specs.begin(), specs.end(),
                                 [&](const InputSpec& each) { return each.name == tensor.name; });
  if (spec == specs.end()) {
    refuse(tensor.path + ".name",
           "Expected the name of an input of the model, which takes " + inputNames(specs) + ".");
  }
  return static_cast<size_t>(spec - specs.begin());
}

void checkShape(const Described& tensor, const InputSpec& spec) {
  const char* type = runtime::elementTypeName(spec.type);
  if (tensor.type != type) {
    refuse(tensor.path + ".type",
           "Expected \"" + std::string(type) + "\" but received \"" + tensor.type + "\".");
  }
  std::vector<int64_t> expected = spec.rowDims;
  if (spec.batched) expected.insert(expected.begin(), -1);
  bool fits = tensor.dims.size() == expected.size();
  for (size_t axis = 0; fits && axis < expected.size(); ++axis) {
    fits = expected[axis] < 0 || expected[axis] == tensor.dims[axis];
  }
  if (!fits) {
    refuse(tensor.path + ".dims",
           "Expected " + listed(expected) + " but received " + listed(tensor.dims) + ".");
  }
  if (spec.batched &&
      (tensor.dims[0] == 0 || tensor.dims[0] > std::numeric_limits<int32_t>::max())) {
    refuse(tensor.path + ".dims", "Expected from 1 to 2147483647 rows.");
  }
}

/// Elements of a shape; more than any frame holds where the product would not fit.
uint64_t elementsOf(const std::vector<int64_t>& dims) {
  uint64_t count = 1;
  for (const int64_t dim : dims) {
    if (dim == 0) return 0;
    if (count > (uint64_t{1} << 40) / static_cast<uint64_t>(dim)) return uint64_t{1} << 40;
    count *= static_cast<uint64_t>(dim);
  }
  return count;
}

[[noreturn]] void refuseBytes(const Described& tensor) {
  refuse(tensor.path, "Expected the bytes of " + listed(tensor.dims) + " elements of type " +
                          tensor.type + " in the frame, but it has fewer.");
}

std::string_view takeBytes(std::string_view& bytes, uint64_t size, const Described& tensor) {
  if (size > bytes.size()) refuseBytes(tensor);
  const auto taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return taken;
}

void readStrings(std::string_view& bytes, uint64_t count, const Described& tensor, RowTensor& out) {
  for (uint64_t i = 0; i < count; ++i) {
    const auto prefix = takeBytes(bytes, sizeof(uint32_t), tensor);
    uint32_t length;
    std::memcpy(&length, prefix.data(), sizeof length);
    out.strings.emplace_back(takeBytes(bytes, length, tensor));
  }
}

}  // namespace

void readTensors(ondemand::value value, std::string_view bytes, const std::vector<InputSpec>& specs,
                 ParsedRequest& out) {
  std::vector<bool> seen(specs.size(), false);
  const InputSpec* first = nullptr;
  for (const auto& tensor : describe(value)) {
    const size_t index = inputOf(tensor, specs);
    const auto& spec = specs[index];
    if (seen[index]) refuse(tensor.path, "Expected each input once.");
    seen[index] = true;
    checkShape(tensor, spec);
    auto& input = out.inputs[index];
    input.rowDims.assign(tensor.dims.begin() + (spec.batched ? 1 : 0), tensor.dims.end());
    input.rows = spec.batched ? static_cast<uint32_t>(tensor.dims[0]) : 1;
    const uint64_t elements = elementsOf(tensor.dims);
    if (spec.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
      readStrings(bytes, elements, tensor, input);
    } else {
      const auto taken = takeBytes(bytes, elements * runtime::elementSize(spec.type), tensor);
      input.bytes.resize(std::max(input.bytes.size(), taken.size()));
      std::copy(taken.begin(), taken.end(), input.bytes.begin());
      input.used = taken.size();
      // Kernels rely on a bool's being 0 or 1.
      if (spec.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL) {
        for (size_t i = 0; i < input.used; ++i) input.bytes[i] = input.bytes[i] != 0;
      }
    }
    if (!spec.batched) continue;
    if (first && input.rows != out.rows) {
      refuse(tensor.path + ".dims", "Expected " + std::to_string(out.rows) +
                                        " rows, as many as \"" + first->name + "\" has.");
    }
    first = &spec;
    out.rows = input.rows;
  }
  for (size_t i = 0; i < specs.size(); ++i) {
    if (!seen[i]) {
      refuse("tensors", "The input \"" + specs[i].name +
                            "\" is missing; in a binary frame a model without code takes all its "
                            "inputs as tensors.");
    }
  }
  if (!bytes.empty()) {
    refuse("tensors", "Expected the frame to end with the last tensor, but " +
                          std::to_string(bytes.size()) + " more bytes follow.");
  }
  if (!first) out.rows = 1;
}

uint32_t countTensorRows(ondemand::value value) {
  const auto tensors = describe(value);
  if (tensors.size() != 1 || tensors[0].named || tensors[0].dims.empty()) return 1;
  const int64_t rows = tensors[0].dims[0];
  return static_cast<uint32_t>(std::clamp<int64_t>(rows, 1, std::numeric_limits<int32_t>::max()));
}

}  // namespace cloudeasyml::codec
