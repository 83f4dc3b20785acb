// JSON as a strict parser reads it: what the code in question is held against.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

namespace cloudeasyml::test {

/// A text parsed into a tree. The tree's parser refuses numbers that no double or integer holds,
/// which are JSON nevertheless: with `simplified()` they have become zeros.
class StrictJson {
 public:
  explicit StrictJson(std::string_view text);

  bool valid() const { return valid_; }
  bool simplified() const { return simplified_; }
  /// Only where valid().
  simdjson::dom::element root() const { return root_; }

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::element root_;
  bool valid_ = false;
  bool simplified_ = false;
};

/// Whether a text begins with a byte order mark, which the parser passes over.
inline bool isMarked(std::string_view text) { return text.substr(0, 3) == "\xEF\xBB\xBF"; }

/// How deep a text's brackets are nested, whether they match or not.
size_t nestingOf(std::string_view text);

}  // namespace cloudeasyml::test
