#include "protocols/frame.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "protocols/jsonScanner.h"

namespace cloudeasyml::protocols {

namespace {

constexpr size_t kLongestId = 128;
constexpr size_t kTensorAlignment = 8;

bool isId(std::string_view value) noexcept {
  if (value.empty() || value.size() > kLongestId) return false;
  const char first = value.front();
  return first == '"' || first == '-' || (first >= '0' && first <= '9');
}

uint32_t lengthOf(std::string_view frame) noexcept {
  const auto byte = [&](size_t i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(frame[i]));
  };
  return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
}

}  // namespace

std::string_view frameHeader(std::string_view frame) noexcept {
  if (frame.size() < kFrameLengthBytes) return {};
  const uint32_t length = lengthOf(frame);
  if (length > frame.size() - kFrameLengthBytes) return {};
  return frame.substr(kFrameLengthBytes, length);
}

void writeFrameLength(char* out, size_t length) noexcept {
  for (size_t i = 0; i < kFrameLengthBytes; ++i) {
    out[i] = static_cast<char>(length >> (8 * i) & 0xFF);
  }
}

FrameFault scanFrame(std::string_view json, Frame& out) noexcept {
  static constexpr std::array<std::string_view, 10> kNames = {
      "id",     "deploymentId", "stream",  "end",      "cancel",
      "binary", "data",         "tensors", "priority", "timeoutMs"};
  bool* const switches[] = {&out.stream, &out.end, &out.cancel, &out.binary};
  unsigned seen = 0;
  FrameFault fault = FrameFault::kNone;
  JsonScanner scanner(json);
  if (!scanner.take('{')) {
    static constexpr std::string_view kOtherValues = "[\"-0123456789tfn";
    const bool isValue = kOtherValues.find(scanner.peek()) != std::string_view::npos;
    return isValue ? FrameFault::kNotAnObject : FrameFault::kMalformed;
  }
  if (!scanner.take('}')) {
    size_t members = 0;
    do {
      if (++members > kMostMembers) return FrameFault::kMembers;
      std::string_view key;
      std::string_view value;
      if (!scanner.string(key) || !scanner.take(':') || !scanner.value(value)) {
        return FrameFault::kMalformed;
      }
      size_t name = 0;
      while (name < kNames.size() && kNames[name] != key) ++name;
      if (name == kNames.size()) continue;
      if (seen & (1U << name)) fault = FrameFault::kTwice;
      seen |= 1U << name;
      switch (name) {
        case 0:
          if (isId(value)) out.id = value;
          break;
        case 1:
          if (value.size() < 2 || value.front() != '"') {
            fault = FrameFault::kDeploymentId;
          } else {
            out.deploymentId = value.substr(1, value.size() - 2);
          }
          break;
        case 6:
        case 7:
          out.hasData = true;
          break;
        case 8:
          if (!readPriority(value, out.envelope)) fault = FrameFault::kPriority;
          break;
        case 9:
          if (!readTimeout(value, out.envelope)) fault = FrameFault::kTimeout;
          break;
        default:
          if (value != "true" && value != "false") fault = FrameFault::kSwitch;
          *switches[name - 2] = value == "true";
      }
    } while (scanner.take(','));
    if (!scanner.take('}')) return FrameFault::kMalformed;
  }
  if (!scanner.atEnd()) return FrameFault::kMalformed;
  return out.id.empty() ? FrameFault::kId : fault;
}

FrameWriter::FrameWriter(std::string_view head, std::string_view answer, std::string_view tail,
                         bool binary)
    : head_(head), text_(answer), tail_(tail), binary_(binary && !answer.empty()) {
  if (binary_) {
    text_ = frameHeader(answer);
    tensors_ = answer.substr(kFrameLengthBytes + text_.size());
  }
  // The head has the object's opening brace.
  if (!head.empty() && tail.empty() && !text_.empty()) text_.remove_prefix(1);
  size_ = head_.size() + text_.size() + tail_.size();
  if (!binary_) return;
  const size_t start = kFrameLengthBytes + size_;
  padding_ = (kTensorAlignment - start % kTensorAlignment) % kTensorAlignment;
  size_ = start + padding_ + tensors_.size();
}

void FrameWriter::write(char* out) const noexcept {
  const auto put = [&](std::string_view text) { out = std::copy(text.begin(), text.end(), out); };
  if (binary_) {
    writeFrameLength(out, head_.size() + text_.size() + tail_.size() + padding_);
    out += kFrameLengthBytes;
  }
  put(head_);
  put(text_);
  put(tail_);
  if (!binary_) return;
  std::memset(out, ' ', padding_);
  out += padding_;
  put(tensors_);
}

}  // namespace cloudeasyml::protocols
