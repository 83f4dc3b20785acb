#include "runtime/externalData.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <set>

namespace cloudeasyml::runtime {

namespace {

/// A model's bytes. A file is read and not mapped: one that is cut off meanwhile must end the
/// reading, and not the process.
class Source {
 public:
  virtual ~Source() = default;
  /// Copies bytes out; false where there are not so many.
  virtual bool read(uint64_t offset, void* to, size_t count) = 0;
  virtual uint64_t size() const = 0;
};

class MemorySource : public Source {
 public:
  MemorySource(const void* bytes, size_t size)
      : bytes_(static_cast<const char*>(bytes)), size_(size) {}
  bool read(uint64_t offset, void* to, size_t count) override {
    if (offset > size_ || count > size_ - offset) return false;
    std::memcpy(to, bytes_ + offset, count);
    return true;
  }
  uint64_t size() const override { return size_; }

 private:
  const char* bytes_;
  size_t size_;
};

class FileSource : public Source {
 public:
  explicit FileSource(const std::string& path) : file_(path, std::ios::binary | std::ios::ate) {
    if (file_) size_ = static_cast<uint64_t>(file_.tellg());
  }
  bool read(uint64_t offset, void* to, size_t count) override {
    const bool isBuffered = offset >= start_ && offset + count <= start_ + filled_;
    if (!isBuffered && !fill(offset, count)) return false;
    std::memcpy(to, buffer_ + (offset - start_), count);
    return true;
  }
  uint64_t size() const override { return size_; }

 private:
  bool fill(uint64_t offset, size_t count) {
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(offset));
    file_.read(buffer_, sizeof buffer_);
    start_ = offset;
    filled_ = static_cast<size_t>(file_.gcount());
    return count <= filled_;
  }

  std::ifstream file_;
  uint64_t size_ = 0;
  uint64_t start_ = 0;
  size_t filled_ = 0;
  char buffer_[16384];
};

/// The messages of onnx.proto through which a tensor can be reached.
enum class Message { kModel, kGraph, kNode, kAttribute, kFunction, kSparseTensor, kTensor, kEntry };

struct Child {
  Message parent;
  uint32_t field;
  Message message;
};

constexpr Child kChildren[] = {
    {Message::kModel, 7, Message::kGraph},
    {Message::kModel, 25, Message::kFunction},
    {Message::kGraph, 1, Message::kNode},
    {Message::kGraph, 5, Message::kTensor},
    {Message::kGraph, 15, Message::kSparseTensor},
    {Message::kFunction, 7, Message::kNode},
    {Message::kNode, 5, Message::kAttribute},
    {Message::kAttribute, 5, Message::kTensor},
    {Message::kAttribute, 6, Message::kGraph},
    {Message::kAttribute, 10, Message::kTensor},
    {Message::kAttribute, 11, Message::kGraph},
    {Message::kAttribute, 22, Message::kSparseTensor},
    {Message::kAttribute, 23, Message::kSparseTensor},
    {Message::kSparseTensor, 1, Message::kTensor},
    {Message::kSparseTensor, 2, Message::kTensor},
    {Message::kTensor, 13, Message::kEntry},
};

const Child* childOf(Message parent, uint32_t field) {
  const auto* child =
      std::find_if(std::begin(kChildren), std::end(kChildren),
                   [&](const Child& each) { return each.parent == parent && each.field == field; });
  return child == std::end(kChildren) ? nullptr : child;
}

/// Walks through a model's protobuf and gathers the names in its tensors' external data.
class Walker {
 public:
  explicit Walker(Source& source) : source_(source) {}

  std::vector<std::string> names() {
    walk(Message::kModel, 0, source_.size(), 0);
    return {names_.begin(), names_.end()};
  }

 private:
  /// As many as protobuf itself reads into each other.
  static constexpr int kMaxDepth = 100;
  static constexpr size_t kLongestName = 4096;
  enum Wire : uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

  /// False where the bytes are no protobuf.
  bool walk(Message message, uint64_t at, uint64_t end, int depth) {
    if (depth > kMaxDepth) return false;
    std::string key, value;
    while (at < end) {
      uint64_t tag = 0, length = 0;
      if (!readVarint(at, end, tag)) return false;
      const auto field = static_cast<uint32_t>(tag >> 3);
      switch (tag & 7) {
        case kVarint:
          if (!readVarint(at, end, length)) return false;
          continue;
        case kFixed64:
          at += 8;
          continue;
        case kFixed32:
          at += 4;
          continue;
        case kLengthDelimited:
          break;
        default:
          return false;
      }
      if (!readVarint(at, end, length) || length > end - at) return false;
      if (message == Message::kEntry) {
        if (field == 1 && !readText(at, length, key)) return false;
        if (field == 2 && !readText(at, length, value)) return false;
      } else if (const Child* child = childOf(message, field)) {
        if (!walk(child->message, at, at + length, depth + 1)) return false;
      }
      at += length;
    }
    if (key == "location") names_.insert(value);
    return true;
  }

  bool readVarint(uint64_t& at, uint64_t end, uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64 && at < end; shift += 7) {
      uint8_t byte = 0;
      if (!source_.read(at++, &byte, 1)) return false;
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  bool readText(uint64_t at, uint64_t length, std::string& text) {
    if (length > kLongestName) return false;
    text.resize(static_cast<size_t>(length));
    return source_.read(at, text.data(), text.size());
  }

  Source& source_;
  std::set<std::string> names_;
};

}  // namespace

std::vector<std::string> externalDataFiles(const std::string& path) {
  FileSource source(path);
  return Walker(source).names();
}

std::vector<std::string> externalDataFiles(const void* bytes, size_t size) {
  MemorySource source(bytes, size);
  return Walker(source).names();
}

}  // namespace cloudeasyml::runtime
