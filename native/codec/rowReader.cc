#include "codec/rowReader.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "codec/half.h"
#include "codec/jsonText.h"
#include "codec/requestError.h"
#include "runtime/elementType.h"

namespace cloudeasyml::codec {

namespace ondemand = simdjson::ondemand;

namespace {

constexpr int kMaxDepth = 128;

/// All the space that JSON knows.
constexpr std::string_view kSpace = " \t\r\n";

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

constexpr uint64_t eightTimes(uint64_t byte) { return byte * 0x0101010101010101; }

// Reads a whole number of up to eight digits, which is what pixels and token ids are. Digit by
// digit such numbers cost a mispredicted branch each, at their end; here the eight bytes at the
// token are read at once (D. Lemire, "Quickly parsing eight digits", 2018), which halves an image's
// time.
//
// @param token with seven readable bytes behind it
// @returns false for any other token, right or wrong
[[gnu::always_inline]] inline bool readShortWhole(std::string_view token, uint32_t& number) {
  const size_t length = token.size();
  if (length > 8 || (token[0] == '0' && length > 1)) return false;
  uint64_t bytes;
  std::memcpy(&bytes, token.data(), sizeof bytes);
  if (length < 8) {
    // The first digit is the lowest byte: zeros go before it, and what follows the token out.
    bytes = (bytes << (64 - 8 * length)) | (eightTimes('0') >> (8 * length));
  }
  const uint64_t digits = bytes - eightTimes('0');
  if (((digits | (digits + eightTimes(0x76))) & eightTimes(0x80)) != 0) return false;
  const uint64_t pairs = digits * 10 + (digits >> 8);
  constexpr uint64_t kEveryFourth = 0x000000FF000000FF;
  number = static_cast<uint32_t>(((pairs & kEveryFourth) * (100 + (uint64_t{1000000} << 32)) +
                                  ((pairs >> 16) & kEveryFourth) * (1 + (uint64_t{10000} << 32))) >>
                                 32);
  return true;
}

// Reads an int64_t, uint64_t or double. @returns false where the value is none, or out of range
template <typename Wide>
[[gnu::always_inline]] inline bool readNumber(ondemand::value& value, Wide& number) {
  uint32_t whole;
  if (readShortWhole(value.raw_json_token(), whole)) {
    // The parser steps over a value that was not asked for.
    number = static_cast<Wide>(whole);
    return true;
  }
  return !value.get<Wide>().get(number);
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
      if (!readElement<T>(value)) failElement<T>(value);
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
    if (axis == spec_.rowDims.size()) return readRow<T>(array, axis);
    size_t count = 0;
    for (auto item : array) {
      depth_ = axis + 1;
      index_[axis] = count;
      checkLength(axis + 1, readArray<T>(parsed(std::move(item)), axis + 1));
      ++count;
    }
    return count;
  }

  // Nearly all the time that a body takes goes by in here, so the loop keeps to local variables and
  // leaves everything that names a fault to the faults.
  template <typename T>
  size_t readRow(ondemand::array& array, size_t axis) {
    size_t count = 0;
    for (auto item : array) {
      ondemand::value element;
      if (const auto error = item.get(element)) throwMalformed(error);
      if (!readElement<T>(element)) {
        depth_ = axis + 1;
        index_[axis] = count;
        failElement<T>(element);
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

  // @returns false where the value is not of this type, or out of its range
  template <typename T>
  [[gnu::always_inline]] bool readElement(ondemand::value& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      std::string_view text;
      if (value.get_string().get(text)) return false;
      out_.strings.emplace_back(text);
    } else if constexpr (std::is_same_v<T, bool>) {
      bool flag;
      if (value.get_bool().get(flag)) return false;
      out_.push(static_cast<uint8_t>(flag));
    } else if constexpr (std::is_integral_v<T>) {
      using Wide = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
      Wide wide;
      if (!readNumber(value, wide)) return false;
      const T narrow = static_cast<T>(wide);
      if (static_cast<Wide>(narrow) != wide) return false;
      out_.push(narrow);
    } else {
      double wide;
      if (!readNumber(value, wide)) return false;
      if constexpr (std::is_same_v<T, double>) {
        out_.push(wide);
      } else {
        const auto narrow = static_cast<float>(wide);
        if constexpr (std::is_same_v<T, float>) {
          if (std::isinf(narrow)) return false;
          out_.push(narrow);
        } else {
          const bool half = std::is_same_v<T, Float16>;
          const uint16_t bits = half ? toFloat16(narrow) : toBfloat16(narrow);
          const uint16_t exponent = half ? 0x7C00 : 0x7F80;
          if ((bits & exponent) == exponent) return false;
          out_.push(bits);
        }
      }
    }
    return true;
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

  // Finds out why readElement() refused a value.
  template <typename T>
  [[noreturn]] void failElement(ondemand::value value) {
    const std::string kind = describe(value);
    std::string_view token = value.raw_json_token();
    token = token.substr(0, token.find_last_not_of(kSpace) + 1);
    std::string received = kind;
    if (kind == "a number") {
      if (!isNumberText(token)) throwMalformed(simdjson::NUMBER_ERROR);
      received = token.substr(0, 40);
      const bool fraction = token.find_first_of(".eE") != std::string_view::npos;
      const bool whole = std::is_integral_v<T> && !std::is_same_v<T, bool>;
      const bool number = whole || !(std::is_same_v<T, bool> || std::is_same_v<T, std::string>);
      if (number && !(whole && fraction)) {
        throw RequestError("invalid_input", where(),
                           received + " is out of range for " + typeName() + ".");
      }
    }
    throw RequestError("invalid_input", where(),
                       "Expected " + expectedElement() + " but received " + received + ".");
  }

  const InputSpec& spec_;
  const std::string& path_;
  RowTensor& out_;
  // How many of index_'s entries say where the reader stands.
  size_t depth_ = 0;
  std::vector<size_t> index_;
};

}  // namespace

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
  return text.find_first_not_of(kSpace, at) == std::string_view::npos;
}

void readRows(ondemand::value value, const InputSpec& spec, const std::string& path,
              RowTensor& out) {
  RowReader(spec, path, out).read(value);
}

void throwMalformed(simdjson::error_code error) {
  // The parser's texts begin with the error's own name, which says nothing to a client.
  std::string_view reason = simdjson::error_message(error);
  const size_t colon = reason.find(": ");
  if (colon != std::string_view::npos) reason.remove_prefix(colon + 2);
  throw RequestError(
      "malformed_json", "",
      "The body is not valid JSON: " + std::string(reason) + (reason.back() == '.' ? "" : "."));
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
