#include "runtime/ortMessage.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace cloudeasyml::runtime {

namespace {

constexpr std::string_view kSource = "/onnxruntime/core/";
constexpr std::string_view kCondition = " was false. ";

/// The end of the word at `from`, which goes on through balanced brackets.
size_t endOfWord(std::string_view text, size_t from) {
  size_t depth = 0;
  size_t at = from;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '(' || c == '[') ++depth;
    if ((c == ')' || c == ']') && depth > 0) --depth;
    if (depth == 0 && std::isspace(static_cast<unsigned char>(c))) break;
  }
  return at;
}

/// The end of "file.cc:12 void ns::Class::name(Type, Type) const [with T = float] x > 0 was false.
/// ".
size_t endOfPlace(std::string_view text, size_t from) {
  const size_t line = endOfWord(text, from);
  const size_t lineBreak = std::min(text.find('\n', line), text.size());
  const size_t call = text.find('(', line);
  size_t end = call < lineBreak ? endOfWord(text, call) : line;
  for (const std::string_view suffix : {" const", " [with "}) {
    if (text.substr(end, suffix.size()) == suffix) end = endOfWord(text, end + 1);
  }
  const size_t condition = text.find(kCondition, end);
  if (condition < lineBreak) end = condition + kCondition.size();
  while (end < text.size() && text[end] == ' ') ++end;
  return end;
}

}  // namespace

std::string withoutSource(std::string message) {
  for (size_t at; (at = message.find(kSource)) != std::string::npos;) {
    const size_t before = message.find_last_of(" :\n\"'(", at);
    const size_t begin = before == std::string::npos ? 0 : before + 1;
    message.erase(begin, endOfPlace(message, begin) - begin);
  }
  while (!message.empty() && std::isspace(static_cast<unsigned char>(message.back()))) {
    message.pop_back();
  }
  return message;
}

}  // namespace cloudeasyml::runtime
