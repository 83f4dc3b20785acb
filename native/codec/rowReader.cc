#include "codec/rowReader.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "codec/half.h"
#include "codec/requestError.h"
#include "runtime/elementType.h"

namespace cloudeasyml::codec {

namespace ondemand = simdjson::ondemand;

namespace {

constexpr int kMaxDepth = 128;

// Tags for the types that C++17 has no name of its own for.
struct Float16 {
  uint16_t bits;
};
struct Bfloat16 {
  uint16_t bits;
};

const char* describe(ondemand::value value) {
  ondemand::json_type type;
  if (value.type().get(type)) return "something that is not JSON";
  switch (type) {
    case ondemand::json_type::array:
      return "an array";
    case ondemand::json_type::object:
      return "an object";
    case ondemand::json_type::number:
      return "a number";
    case ondemand::json_type::string:
      return "a string";
    case ondemand::json_type::boolean:
      return "a boolean";
    case ondemand::json_type::null:
      return "null";
  }
  return "something else";
}

bool isNumberText(std::string_view text) {
  size_t at = 0;
  const auto digits = [&] {
    const size_t start = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - start;
  };
  if (at < text.size() && text[at] == '-') ++at;
  const bool leadingZero = at < text.size() && text[at] == '0';
  const size_t whole = digits();
  if (whole == 0 || (leadingZero && whole > 1)) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] | 0x20) == 'e') {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at]))) ++at;
  return at == text.size();
}

class RowReader {
 public:
  RowReader(const InputSpec& spec, const std::string& path, RowTensor& out)
      : spec_(spec), path_(path), out_(out), index_(spec.rowDims.size() + 1, 0) {
    out_.rowDims = spec.rowDims;
    out_.rows = 0;
  }

  void read(ondemand::value value) {
    switch (spec_.type) {
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
        return readAs<float>(value);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
        return readAs<double>(value);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
        return readAs<Float16>(value);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
        return readAs<Bfloat16>(value);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8:
        return readAs<int8_t>(value);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
        return readAs<uint8_t>(value);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16:
        return readAs<int16_t>(value);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16:
        return readAs<uint16_t>(value);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
        return readAs<int32_t>(value);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32:
        return readAs<uint32_t>(value);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
        return readAs<int64_t>(value);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64:
        return readAs<uint64_t>(value);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
        return readAs<bool>(value);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING:
        return readAs<std::string>(value);
      default:
        throw Error("runtime_failed", "The input's element type cannot be read from JSON.");
    }
  }

 private:
  template <typename T>
  void readAs(ondemand::value value) {
    if (!spec_.batched) {
      depth_ = 0;
      readElement<T>(value);
      out_.rows = 1;
      return;
    }
    out_.rows = static_cast<uint32_t>(readArray<T>(value, 0));
    if (out_.rows == 0) {
      throw RequestError("invalid_input", path_, "Expected at least one row but received none.");
    }
    // Axes inside an empty one never came up.
    for (int64_t& length : out_.rowDims) length = std::max<int64_t>(length, 0);
  }

  // Axis 0 is the batch; axis k is rowDims[k - 1].
  template <typename T>
  size_t readArray(ondemand::value value, size_t axis) {
    depth_ = axis;
    ondemand::array array;
    if (const auto error = value.get_array().get(array)) {
      if (error != simdjson::INCORRECT_TYPE) throwMalformed(error);
      failShape(axis, value);
    }
    const bool innermost = axis == spec_.rowDims.size();
    size_t count = 0;
    for (auto item : array) {
      depth_ = axis + 1;
      index_[axis] = count;
      const auto element = parsed(std::move(item));
      if (innermost) {
        readElement<T>(element);
      } else {
        checkLength(axis + 1, readArray<T>(element, axis + 1));
      }
      ++count;
    }
    return count;
  }

  void checkLength(size_t axis, size_t count) {
    int64_t& expected = out_.rowDims[axis - 1];
    if (expected == static_cast<int64_t>(count)) return;
    // An open axis takes the length that it first comes with; all rows must agree.
    if (expected < 0) {
      expected = static_cast<int64_t>(count);
      return;
    }
    depth_ = axis;
    const bool open = spec_.rowDims[axis - 1] < 0;
    throw RequestError("invalid_input", where(),
                       "Expected " + std::to_string(expected) +
                           (open ? " values, as many as in the first row," : " values") +
                           " but received " + std::to_string(count) + ".");
  }

  template <typename T>
  void readElement(ondemand::value value) {
    if constexpr (std::is_same_v<T, std::string>) {
      std::string_view text;
      if (const auto error = value.get_string().get(text)) failElement(error, value);
      out_.strings.emplace_back(text);
    } else if constexpr (std::is_same_v<T, bool>) {
      bool flag;
      if (const auto error = value.get_bool().get(flag)) failElement(error, value);
      out_.push(static_cast<uint8_t>(flag));
    } else if constexpr (std::is_integral_v<T>) {
      using Wide = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
      Wide wide;
      const auto error = value.get<Wide>().get(wide);
      if (error) failElement(error, value);
      if constexpr (sizeof(T) < sizeof(Wide)) {
        if (wide < static_cast<Wide>(std::numeric_limits<T>::min()) ||
            wide > static_cast<Wide>(std::numeric_limits<T>::max())) {
          failRange(std::to_string(wide));
        }
      }
      out_.push(static_cast<T>(wide));
    } else {
      double wide;
      if (const auto error = value.get_double().get(wide)) failElement(error, value);
      pushFloating<T>(wide);
    }
  }

  template <typename T>
  void pushFloating(double wide) {
    if constexpr (std::is_same_v<T, double>) {
      out_.push(wide);
    } else {
      const auto narrow = static_cast<float>(wide);
      bool overflow = std::isinf(narrow);
      if constexpr (std::is_same_v<T, float>) {
        out_.push(narrow);
      } else if constexpr (std::is_same_v<T, Float16>) {
        const uint16_t bits = toFloat16(narrow);
        overflow = (bits & 0x7C00) == 0x7C00;
        out_.push(bits);
      } else {
        const uint16_t bits = toBfloat16(narrow);
        overflow = (bits & 0x7F80) == 0x7F80;
        out_.push(bits);
      }
      if (overflow) failRange(std::to_string(wide));
    }
  }

  std::string where() const {
    std::string text = path_;
    for (size_t i = 0; i < depth_; ++i) text += "[" + std::to_string(index_[i]) + "]";
    return text;
  }

  const char* typeName() const { return runtime::elementTypeName(spec_.type); }

  std::string expectedElement() const {
    switch (spec_.type) {
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING:
        return "a string";
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
        return "true or false";
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
        return std::string("a number (") + typeName() + ")";
      default:
        return std::string("a whole number (") + typeName() + ")";
    }
  }

  [[noreturn]] void failShape(size_t axis, ondemand::value value) {
    std::string expected;
    if (axis == 0) {
      expected = "an array of rows";
    } else {
      const int64_t length = spec_.rowDims[axis - 1];
      expected = length < 0 ? "an array" : "an array of " + std::to_string(length) + " values";
      if (axis < spec_.rowDims.size()) expected += " (arrays themselves)";
    }
    throw RequestError("invalid_input", where(),
                       "Expected " + expected + " but received " + describe(value) + ".");
  }

  [[noreturn]] void failElement(simdjson::error_code error, ondemand::value value) {
    const bool typed = error == simdjson::INCORRECT_TYPE || error == simdjson::NUMBER_ERROR ||
                       error == simdjson::NUMBER_OUT_OF_RANGE;
    if (!typed) throwMalformed(error);
    const char* kind = describe(value);
    std::string_view token = value.raw_json_token();
    while (!token.empty() && std::isspace(static_cast<unsigned char>(token.back()))) {
      token.remove_suffix(1);
    }
    if (std::strcmp(kind, "a number") == 0) {
      if (!isNumberText(token)) throwMalformed(simdjson::NUMBER_ERROR);
      const bool text = spec_.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING ||
                        spec_.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL;
      const bool fraction = token.find_first_of(".eE") != std::string_view::npos;
      const bool floating = expectedElement().rfind("a number", 0) == 0;
      if (!text && (floating || !fraction)) failRange(std::string(token));
      throw RequestError("invalid_input", where(),
                         "Expected " + expectedElement() + " but received " + std::string(token) +
                             ".");
    }
    throw RequestError("invalid_input", where(),
                       "Expected " + expectedElement() + " but received " + kind + ".");
  }

  [[noreturn]] void failRange(const std::string& number) {
    throw RequestError("invalid_input", where(),
                       number.substr(0, 40) + " is out of range for " + typeName() + ".");
  }

  const InputSpec& spec_;
  const std::string& path_;
  RowTensor& out_;
  // How many of index_'s entries say where the reader stands.
  size_t depth_ = 0;
  std::vector<size_t> index_;
};

}  // namespace

void readRows(ondemand::value value, const InputSpec& spec, const std::string& path,
              RowTensor& out) {
  RowReader(spec, path, out).read(value);
}

void throwMalformed(simdjson::error_code error) {
  throw RequestError("malformed_json", "",
                     std::string("The body is not valid JSON: ") + simdjson::error_message(error));
}

void validate(ondemand::value value, int depth) {
  if (depth > kMaxDepth) {
    throw RequestError("malformed_json", "",
                       "The body is nested deeper than " + std::to_string(kMaxDepth) + " levels.");
  }
  switch (parsed(value.type())) {
    case ondemand::json_type::array: {
      for (auto item : parsed(value.get_array())) validate(parsed(std::move(item)), depth + 1);
      return;
    }
    case ondemand::json_type::object: {
      for (auto field : parsed(value.get_object())) {
        auto member = parsed(std::move(field));
        parsed(member.unescaped_key(false));
        validate(member.value(), depth + 1);
      }
      return;
    }
    case ondemand::json_type::number: {
      std::string_view token = value.raw_json_token();
      // The token must be consumed for the walk to go on.
      double ignored;
      const auto error = value.get_double().get(ignored);
      if (error && !isNumberText(token)) throwMalformed(error);
      return;
    }
    case ondemand::json_type::string:
      parsed(value.get_string());
      return;
    case ondemand::json_type::boolean:
      parsed(value.get_bool());
      return;
    case ondemand::json_type::null: {
      if (!parsed(value.is_null())) throwMalformed(simdjson::N_ATOM_ERROR);
      return;
    }
  }
}

}  // namespace cloudeasyml::codec
