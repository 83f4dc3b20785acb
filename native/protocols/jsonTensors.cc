#include "protocols/jsonTensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "protocols/half.h"
#include "protocols/jsonParsing.h"
#include "protocols/requestError.h"
#include "runtime/elementType.h"
#include "runtime/error.h"

namespace cloudeasyml::protocols {

namespace ondemand = simdjson::ondemand;

namespace {

// Tags for the types that C++17 has no name of its own for.
struct Float16 {
  uint16_t bits;
};
struct Bfloat16 {
  uint16_t bits;
};

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

/// Calls a function template for the C++ type of an element type.
template <typename Visit>
void withType(ONNXTensorElementDataType type, Visit visit) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return visit(float{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return visit(double{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
      return visit(Float16{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
      return visit(Bfloat16{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8:
      return visit(int8_t{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
      return visit(uint8_t{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16:
      return visit(int16_t{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16:
      return visit(uint16_t{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return visit(int32_t{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32:
      return visit(uint32_t{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return visit(int64_t{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64:
      return visit(uint64_t{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
      return visit(bool{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING:
      return visit(std::string{});
    default:
      throw Error(ErrorCode::kRuntimeFailed, "The input's element type cannot be read from JSON.");
  }
}

class TensorReader {
 public:
  TensorReader(const InputSpec& spec, std::string_view path, Tensor& out)
      : spec_(spec), path_(path), out_(out) {
    if (spec.dims.size() <= kUsualRank) return;
    manyIndices_.resize(spec.dims.size());
    index_ = manyIndices_.data();
  }
  TensorReader(const TensorReader&) = delete;
  TensorReader& operator=(const TensorReader&) = delete;

  void readWhole(ondemand::value value) {
    begin();
    withType(spec_.type, [&](auto tag) {
      using T = decltype(tag);
      if (spec_.dims.empty()) {
        readScalar<T>(value, 0);
      } else {
        endWhole(readAxis<T>(value, 0));
      }
    });
  }

  void readOneRow(ondemand::value value, uint32_t row) {
    if (row == 0) begin();
    // The path names the row.
    namedAxes_ = 1;
    withType(spec_.type, [&](auto tag) {
      using T = decltype(tag);
      if (spec_.dims.size() == 1) {
        readScalar<T>(value, 1);
      } else {
        checkLength(1, readAxis<T>(value, 1));
      }
    });
    out_.dims[0] = row + 1;
  }

 private:
  void begin() {
    out_.type = spec_.type;
    out_.dims = spec_.dims;
    if (spec_.byRows) out_.dims[0] = -1;
  }

  void endWhole(size_t count) {
    depth_ = 0;
    if (spec_.byRows && count == 0) fail("Expected at least one row but received none.");
    if (spec_.byRows && count > kMostRows) {
      fail("Expected at most " + std::to_string(kMostRows) + " rows but received " +
           std::to_string(count) + ".");
    }
    checkLength(0, count);
    // Axes inside an empty one never came up.
    for (int64_t& length : out_.dims) length = std::max<int64_t>(length, 0);
  }

  template <typename T>
  void readScalar(ondemand::value value, size_t depth) {
    depth_ = depth;
    if (!readElement<T>(value)) failElement<T>(value);
  }

  template <typename T>
  size_t readAxis(ondemand::value value, size_t axis) {
    depth_ = axis;
    ondemand::array array;
    if (const auto error = value.get_array().get(array)) {
      if (error != simdjson::INCORRECT_TYPE) throwMalformed(error);
      // A column's values need no brackets of their own.
      if (axis != 1 || !spec_.isColumn() || isObject(value)) failShape(axis, value);
      readScalar<T>(value, axis);
      return 1;
    }
    if (axis + 1 == spec_.dims.size()) return readElements<T>(array, axis);
    size_t count = 0;
    for (auto item : array) {
      depth_ = axis + 1;
      index_[axis] = count;
      checkLength(axis + 1, readAxis<T>(parsed(std::move(item)), axis + 1));
      ++count;
    }
    return count;
  }

  // Nearly all the time that a body takes goes by in here, so the loop keeps to local variables and
  // leaves everything that names a fault to the faults. A function of its own has registers enough.
  template <typename T>
  [[gnu::noinline]] size_t readElements(ondemand::array& array, size_t axis) {
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
    int64_t& expected = out_.dims[axis];
    if (expected == static_cast<int64_t>(count)) return;
    // An open axis takes the length that it first comes with; all rows must agree.
    if (expected < 0) {
      expected = static_cast<int64_t>(count);
      return;
    }
    depth_ = axis;
    const bool open = spec_.dims[axis] < 0;
    fail("Expected " + std::to_string(expected) +
         (open ? " values, as many as in the first row," : " values") + " but received " +
         std::to_string(count) + ".");
  }

  // @returns false where the value is not of this type, or out of its range
  template <typename T>
  [[gnu::always_inline]] bool readElement(ondemand::value& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      std::string_view text;
      if (value.get_string().get(text)) return false;
      out_.pushText(text);
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

  static bool isObject(ondemand::value value) {
    ondemand::json_type type;
    return !value.type().get(type) && type == ondemand::json_type::object;
  }

  std::string where() const {
    std::string text(path_);
    for (size_t i = namedAxes_; i < depth_; ++i) text += "[" + std::to_string(index_[i]) + "]";
    return text;
  }

  [[noreturn]] void fail(const std::string& detail) const {
    throw RequestError(ErrorCode::kInvalidInput, where(), detail);
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
    if (axis == 0 && spec_.byRows) {
      expected = "an array of rows";
    } else {
      const int64_t length = spec_.dims[axis];
      expected = length < 0 ? "an array" : "an array of " + std::to_string(length) + " values";
      if (axis + 1 < spec_.dims.size()) expected += " (arrays themselves)";
    }
    fail("Expected " + expected + " but received " + kindOf(value) + ".");
  }

  // Finds out why readElement() refused a value.
  template <typename T>
  [[noreturn]] void failElement(ondemand::value value) {
    const std::string kind = kindOf(value);
    std::string_view token = value.raw_json_token();
    token = token.substr(0, token.find_last_not_of(kJsonSpace) + 1);
    std::string received = kind;
    if (kind == "a number") {
      if (!isNumberText(token)) throwMalformed(simdjson::NUMBER_ERROR);
      received = token.substr(0, 40);
      const bool fraction = token.find_first_of(".eE") != std::string_view::npos;
      const bool whole = std::is_integral_v<T> && !std::is_same_v<T, bool>;
      const bool number = whole || !(std::is_same_v<T, bool> || std::is_same_v<T, std::string>);
      if (number && !(whole && fraction)) {
        fail(received + " is out of range for " + typeName() + ".");
      }
    }
    fail("Expected " + expectedElement() + " but received " + received + ".");
  }

  const InputSpec& spec_;
  const std::string_view path_;
  Tensor& out_;
  /// Axes whose place the path names already.
  size_t namedAxes_ = 0;
  /// How many of index_'s entries say where the reader stands.
  size_t depth_ = 0;
  /// By axis. Few tensors have more axes than need no allocation.
  static constexpr size_t kUsualRank = 8;
  size_t fewIndices_[kUsualRank] = {};
  std::vector<size_t> manyIndices_;
  size_t* index_ = fewIndices_;
};

}  // namespace

void readTensor(ondemand::value value, const InputSpec& spec, std::string_view path, Tensor& out) {
  TensorReader(spec, path, out).readWhole(value);
}

void readRow(ondemand::value value, const InputSpec& spec, uint32_t row, std::string_view path,
             Tensor& out) {
  TensorReader(spec, path, out).readOneRow(value, row);
}

}  // namespace cloudeasyml::protocols
