#include "protocols/jsonValues.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "protocols/half.h"
#include "protocols/jsonText.h"
#include "runtime/error.h"

namespace cloudeasyml::protocols {

namespace {

template <typename T>
const T* elementsAt(const Tensor& tensor, size_t from) {
  return reinterpret_cast<const T*>(tensor.data()) + from;
}

/// Elements of a shape, or empty arrays where an axis is empty; 2⁵⁰ where they would be more.
uint64_t placesOf(const std::vector<int64_t>& dims) noexcept {
  constexpr uint64_t kMost = uint64_t{1} << 50;
  uint64_t places = 1;
  for (const int64_t dim : dims) {
    if (dim == 0) break;
    if (places > kMost / static_cast<uint64_t>(dim)) return kMost;
    places *= static_cast<uint64_t>(dim);
  }
  return places;
}

}  // namespace

bool isFloating(ONNXTensorElementDataType type) noexcept {
  return type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT ||
         type == ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE ||
         type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 ||
         type == ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16;
}

double numberAt(const Tensor& tensor, size_t element) noexcept {
  switch (tensor.type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return *elementsAt<float>(tensor, element);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return *elementsAt<double>(tensor, element);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
      return fromFloat16(*elementsAt<uint16_t>(tensor, element));
    default:
      return fromBfloat16(*elementsAt<uint16_t>(tensor, element));
  }
}

uint64_t leastJsonBytes(const Value& value) noexcept {
  // A digit or an empty array, and what separates it from the next.
  if (value.kind == Value::Kind::kTensor) return 2 * placesOf(value.tensor.dims);
  uint64_t bytes = 2;
  for (const auto& item : value.items) bytes += leastJsonBytes(item);
  return bytes;
}

void ValueWriter::writeAll(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kTensor: {
      size_t element = 0;
      writeAxis(value.tensor, 0, element);
      return;
    }
    case Value::Kind::kSequence:
      out_ += '[';
      for (size_t i = 0; i < value.items.size(); ++i) {
        count(1);
        if (i > 0) out_ += ',';
        writeAll(value.items[i]);
      }
      out_ += ']';
      return;
    case Value::Kind::kMap:
      writeMap(value);
  }
}

void ValueWriter::writeRow(const Value& value, size_t row) {
  if (value.kind == Value::Kind::kSequence) {
    writeAll(value.items[row]);
    return;
  }
  size_t element = row * value.tensor.rowSize();
  writeAxis(value.tensor, 1, element);
}

void ValueWriter::writeLabels(const Value& scores, size_t row,
                              const std::vector<std::string>& labels, uint32_t topK) {
  const auto& tensor = scores.tensor;
  const size_t first = row * labels.size();
  const auto score = [&](size_t label) { return numberAt(tensor, first + label); };
  // NaN is no largest: every comparison with it is false.
  const auto ranksHigher = [&](size_t a, size_t b) {
    return std::isnan(score(b)) ? !std::isnan(score(a)) : score(a) > score(b);
  };
  std::vector<size_t> order(labels.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const size_t count = std::min<size_t>(std::max<uint32_t>(topK, 1), labels.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
      [&](size_t a, size_t b) { return ranksHigher(a, b) || (!ranksHigher(b, a) && a < b); });
  if (topK > 0) out_ += '[';
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) out_ += ',';
    out_ += "{\"label\":";
    writeString(out_, labels[order[i]]);
    out_ += ",\"score\":";
    writeElements(tensor, first + order[i], 1);
    out_ += '}';
  }
  if (topK > 0) out_ += ']';
}

void ValueWriter::writeMap(const Value& map) {
  const auto& keys = map.items[0].tensor;
  const auto& values = map.items[1].tensor;
  const size_t entries = keys.elementCount();
  out_ += '{';
  for (size_t i = 0; i < entries; ++i) {
    count(1);
    if (i > 0) out_ += ',';
    if (keys.isText()) {
      writeString(out_, keys.text(i));
    } else {
      out_ += '"';
      writeElements(keys, i, 1);
      out_ += '"';
    }
    out_ += ':';
    writeElements(values, i, 1);
  }
  out_ += '}';
}

void ValueWriter::writeAxis(const Tensor& tensor, size_t axis, size_t& element) {
  const size_t rank = tensor.dims.size();
  count(1);
  if (axis >= rank) {
    writeElements(tensor, element++, 1);
    return;
  }
  const auto length = static_cast<size_t>(tensor.dims[axis]);
  out_ += '[';
  if (axis + 1 == rank) {
    writeParts(tensor, element, length);
    element += length;
  } else {
    for (size_t i = 0; i < length; ++i) {
      if (i > 0) out_ += ',';
      writeAxis(tensor, axis + 1, element);
    }
  }
  out_ += ']';
}

void ValueWriter::writeParts(const Tensor& tensor, size_t from, size_t length) {
  for (size_t done = 0; done < length; done += kCheckedPlaces) {
    const size_t part = std::min(length - done, kCheckedPlaces);
    count(part);
    if (done > 0) out_ += ',';
    writeElements(tensor, from + done, part);
  }
}

template <typename T, typename Write>
void ValueWriter::writeEach(const T* elements, size_t count, Write write) {
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) out_ += ',';
    write(elements[i]);
  }
}

// The type is asked once for each innermost axis, not for each element.
void ValueWriter::writeElements(const Tensor& tensor, size_t from, size_t count) {
  const auto integer = [&](auto value) { writeInteger(out_, value); };
  const auto whole = [&](auto value) { writeUnsigned(out_, value); };
  switch (tensor.type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return writeEach(elementsAt<float>(tensor, from), count, [&](float v) { writeFloat(v); });
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return writeEach(elementsAt<double>(tensor, from), count, [&](double v) { writeDouble(v); });
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
      return writeEach(elementsAt<uint16_t>(tensor, from), count,
                       [&](uint16_t v) { writeFloat(fromFloat16(v)); });
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
      return writeEach(elementsAt<uint16_t>(tensor, from), count,
                       [&](uint16_t v) { writeFloat(fromBfloat16(v)); });
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8:
      return writeEach(elementsAt<int8_t>(tensor, from), count, integer);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16:
      return writeEach(elementsAt<int16_t>(tensor, from), count, integer);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return writeEach(elementsAt<int32_t>(tensor, from), count, integer);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return writeEach(elementsAt<int64_t>(tensor, from), count, integer);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
      return writeEach(elementsAt<uint8_t>(tensor, from), count, whole);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16:
      return writeEach(elementsAt<uint16_t>(tensor, from), count, whole);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32:
      return writeEach(elementsAt<uint32_t>(tensor, from), count, whole);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64:
      return writeEach(elementsAt<uint64_t>(tensor, from), count, whole);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
      return writeEach(elementsAt<uint8_t>(tensor, from), count,
                       [&](uint8_t v) { out_ += v ? "true" : "false"; });
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING:
      for (size_t i = 0; i < count; ++i) {
        if (i > 0) out_ += ',';
        writeString(out_, tensor.text(from + i));
      }
      return;
    default:
      throw Error(ErrorCode::kRuntimeFailed,
                  "The output's element type cannot be written as JSON.");
  }
}

void ValueWriter::writeFloat(float value) {
  if (!std::isfinite(value)) wroteNonFinite_ = true;
  protocols::writeFloat(out_, value);
}

void ValueWriter::writeDouble(double value) {
  if (!std::isfinite(value)) wroteNonFinite_ = true;
  protocols::writeDouble(out_, value);
}

}  // namespace cloudeasyml::protocols
