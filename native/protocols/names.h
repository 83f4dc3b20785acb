// Names in messages.
#pragma once

#include <string>
#include <string_view>

namespace cloudeasyml::protocols {

inline std::string inQuotes(std::string_view name) {
  std::string text = "\"";
  text += name.substr(0, 100);
  text += '"';
  return text;
}

/// The names of a model's inputs or outputs: `"a", "b"`.
template <typename Specs>
std::string listed(const Specs& specs) {
  std::string text;
  for (const auto& spec : specs) text += (text.empty() ? "" : ", ") + inQuotes(spec.name);
  return text;
}

}  // namespace cloudeasyml::protocols
