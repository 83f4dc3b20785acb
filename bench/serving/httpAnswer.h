// As much of HTTP/1.1 as a load generator reads.
#pragma once

#include <strings.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace bench {

/// An answer's status, and where its time went on the server, in milliseconds: until a worker took
/// it, from there to the run, and the run. NaN where it tells nothing.
struct Answer {
  int status = 0;
  double queue = std::nan("");
  double batch = std::nan("");
  double compute = std::nan("");
};

/// Reads a connection's answers one after the other, in whatever pieces they come.
class AnswerReader {
 public:
  /// @returns an answer once it is whole
  /// @throws std::runtime_error where it has no content-length
  std::optional<Answer> read(std::string_view piece) {
    received_ += piece;
    if (bodyStart_ == 0 && !readHead()) return std::nullopt;
    if (received_.size() < bodyStart_ + bodyLength_) return std::nullopt;
    readBody(std::string_view(received_).substr(bodyStart_, bodyLength_));
    received_.clear();
    bodyStart_ = 0;
    return answer_;
  }

 private:
  bool readHead() {
    const size_t end = received_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    answer_ = {};
    // "HTTP/1.1 200 OK"
    answer_.status = std::atoi(received_.c_str() + 9);
    const char* length = header("content-length", end);
    if (!length) {
      throw std::runtime_error("Expected a content-length but received:\n" +
                               received_.substr(0, end));
    }
    bodyLength_ = std::strtoull(length, nullptr, 10);
    bodyStart_ = end + 4;
    if (const char* times = header("server-timing", end)) {
      std::sscanf(times, "queue;dur=%lf, batch;dur=%lf, compute;dur=%lf", &answer_.queue,
                  &answer_.batch, &answer_.compute);
    }
    return true;
  }

  /// @returns where a header's value starts, or null; the head ends at `end`
  const char* header(std::string_view name, size_t end) const {
    for (size_t line = received_.find("\r\n"); line < end;
         line = received_.find("\r\n", line + 2)) {
      const char* at = received_.c_str() + line + 2;
      if (strncasecmp(at, name.data(), name.size()) != 0 || at[name.size()] != ':') continue;
      at += name.size() + 1;
      while (*at == ' ') ++at;
      return at;
    }
    return nullptr;
  }

  /// Servers that don't tell in a header may tell of the run in the body.
  void readBody(std::string_view body) {
    if (!std::isnan(answer_.compute)) return;
    constexpr std::string_view name = "\"processingTimeMs\":";
    const size_t at = body.rfind(name);
    if (at != std::string_view::npos) {
      answer_.compute = std::strtod(body.data() + at + name.size(), nullptr);
    }
  }

  std::string received_;
  /// 0 until the head is whole.
  size_t bodyStart_ = 0;
  size_t bodyLength_ = 0;
  Answer answer_;
};

}  // namespace bench
