#include "codec/requestBody.h"

#include <algorithm>
#include <array>

#include "codec/binaryTensors.h"
#include "codec/frame.h"
#include "codec/requestError.h"

namespace cloudeasyml::codec {

namespace ondemand = simdjson::ondemand;

namespace {

std::string inQuotes(std::string_view name) {
  return "\"" + std::string(name.substr(0, 100)) + "\"";
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + inQuotes(name);
  return text;
}

std::string listed(const std::vector<InputSpec>& specs) {
  std::vector<std::string> names;
  for (const auto& spec : specs) names.push_back(spec.name);
  return listed(names);
}

/// Bytes that the parser may read from the start of a body's JSON.
size_t readable(const Body& body) {
  const auto skipped = static_cast<size_t>(body.json().data() - body.bytes.view().data());
  return body.bytes.size() + PaddedBuffer::kPadding - skipped;
}

// Throws malformed_json where a body is no JSON, wherever in it the fault is.
void requireJson(const Body& body) {
  const auto json = body.json();
  ondemand::parser parser;
  auto document = parsed(parser.iterate(json.data(), json.size(), readable(body)));
  if (!parsed(document.is_scalar())) {
    validate(parsed(document.get_value()));
    if (!document.at_end()) throwMalformed(simdjson::TRAILING_CONTENT);
    return;
  }
  // To the lazy parser a bare scalar is no value, to the strict one a number beyond all types.
  if (isNumberText(json.substr(std::min(json.find_first_not_of(" \t\r\n"), json.size())))) return;
  simdjson::dom::parser strict;
  if (const auto error = strict.parse(json.data(), json.size()).error()) throwMalformed(error);
}

// Reading stops at the first fault; JSON that is broken further on is a 400 all the same.
[[noreturn]] void rethrowUnlessMalformed(const Body& body, const RequestError& fault) {
  requireJson(body);
  throw fault;
}

}  // namespace

std::string_view Body::json() const noexcept {
  return binary ? frameHeader(bytes.view()) : bytes.view();
}

bool isJson(const Body& body) {
  try {
    requireJson(body);
    return true;
  } catch (const RequestError&) {
    return false;
  }
}

void RequestReader::walk(const Body& body, const Field& field) {
  const auto json = body.json();
  auto document = parsed(parser_.iterate(json.data(), json.size(), readable(body)));
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) {
    if (error != simdjson::INCORRECT_TYPE) throwMalformed(error);
    throw RequestError("invalid_input", "",
                       "Expected the body to be an object like {\"data\": …}.");
  }
  static constexpr std::array<std::string_view, 4> kOnce = {"data", "options", "deploymentId",
                                                            "tensors"};
  std::array<bool, kOnce.size()> seen{};
  for (auto item : object) {
    auto member = parsed(std::move(item));
    const auto key = parsed(member.unescaped_key(false));
    for (size_t i = 0; i < kOnce.size(); ++i) {
      if (key != kOnce[i]) continue;
      if (seen[i]) {
        throw RequestError("invalid_input", std::string(key),
                           "Expected one " + inQuotes(key) + ", not two.");
      }
      seen[i] = true;
    }
    field(key, member.value());
  }
  if (!document.at_end()) throwMalformed(simdjson::TRAILING_CONTENT);
}

void RequestReader::read(const Body& body, const std::vector<InputSpec>& specs,
                         const std::vector<std::string>& outputNames, ParsedRequest& out) {
  out.inputs.resize(specs.size());
  for (auto& input : out.inputs) input.clear();
  out.outputs.clear();
  out.rows = 0;
  bool found = false;
  try {
    walk(body, [&](std::string_view key, ondemand::value value) {
      if (key == "tensors" && body.binary) {
        found = true;
        const auto json = body.json();
        const auto skipped = static_cast<size_t>(json.data() - body.bytes.view().data());
        readTensors(value, body.bytes.view().substr(skipped + json.size()), specs, out);
      } else if (key == "data") {
        if (body.binary) {
          throw RequestError("invalid_input", "data",
                             "In a binary frame a model without code takes its inputs as "
                             "\"tensors\".");
        }
        found = true;
        readData(value, specs, out);
      } else if (key == "options") {
        readOptions(value, outputNames, out);
      } else {
        validate(value);
      }
    });
    if (!found) {
      if (body.binary) {
        throw RequestError("invalid_input", "tensors",
                           "Expected \"tensors\", the inputs, but the header has none.");
      }
      throw RequestError("invalid_input", "data",
                         "Expected \"data\", the rows to predict, but the body has none.");
    }
  } catch (const RequestError& fault) {
    rethrowUnlessMalformed(body, fault);
  }
}

void RequestReader::readData(ondemand::value value, const std::vector<InputSpec>& specs,
                             ParsedRequest& out) {
  if (specs.size() == 1) {
    readRows(value, specs[0], "data", out.inputs[0]);
    out.rows = out.inputs[0].rows;
    return;
  }
  ondemand::object object;
  if (const auto error = value.get_object().get(object)) {
    if (error != simdjson::INCORRECT_TYPE) throwMalformed(error);
    throw RequestError("invalid_input", "data",
                       "Expected an object with the rows of each input: " + listed(specs) + ".");
  }
  std::vector<bool> seen(specs.size(), false);
  const InputSpec* first = nullptr;
  for (auto item : object) {
    auto member = parsed(std::move(item));
    const std::string key(parsed(member.unescaped_key(false)));
    const auto spec = std::find_if(specs.begin(), specs.end(),
                                   [&](const InputSpec& each) { return each.name == key; });
    if (spec == specs.end()) {
      throw RequestError(
          "invalid_input", "data",
          "The model has no input " + inQuotes(key) + "; it takes " + listed(specs) + ".");
    }
    const auto index = static_cast<size_t>(spec - specs.begin());
    const std::string path = "data." + key;
    if (seen[index]) throw RequestError("invalid_input", path, "Expected this input once.");
    seen[index] = true;
    readRows(member.value(), *spec, path, out.inputs[index]);
    if (!spec->batched) continue;
    const uint32_t rows = out.inputs[index].rows;
    if (first && rows != out.rows) {
      throw RequestError("invalid_input", path,
                         "Expected " + std::to_string(out.rows) + " rows, as many as " +
                             inQuotes(first->name) + " has, but received " + std::to_string(rows) +
                             ".");
    }
    first = &*spec;
    out.rows = rows;
  }
  for (size_t i = 0; i < specs.size(); ++i) {
    if (!seen[i]) {
      throw RequestError("invalid_input", "data." + specs[i].name,
                         "The input is missing; the model takes " + listed(specs) + ".");
    }
  }
  if (!first) out.rows = 1;
}

void RequestReader::readOptions(ondemand::value value, const std::vector<std::string>& outputNames,
                                ParsedRequest& out) {
  ondemand::object object;
  if (const auto error = value.get_object().get(object)) {
    if (error != simdjson::INCORRECT_TYPE) throwMalformed(error);
    throw RequestError("invalid_input", "options", "Expected an object.");
  }
  for (auto item : object) {
    auto member = parsed(std::move(item));
    if (parsed(member.unescaped_key(false)) != "outputs") {
      validate(member.value());
      continue;
    }
    ondemand::array names;
    if (const auto error = member.value().get_array().get(names)) {
      if (error != simdjson::INCORRECT_TYPE) throwMalformed(error);
      throw RequestError("invalid_input", "options.outputs",
                         "Expected an array of output names, out of " + listed(outputNames) + ".");
    }
    for (auto each : names) {
      std::string_view name;
      const auto error = each.get_string().get(name);
      if (error && error != simdjson::INCORRECT_TYPE) throwMalformed(error);
      const auto known = std::find(outputNames.begin(), outputNames.end(), name);
      if (error || known == outputNames.end()) {
        throw RequestError("invalid_input", "options.outputs",
                           (error ? std::string("Expected names of outputs")
                                  : "The model has no output " + inQuotes(name)) +
                               "; it has " + listed(outputNames) + ".");
      }
      const auto index = static_cast<uint32_t>(known - outputNames.begin());
      if (std::find(out.outputs.begin(), out.outputs.end(), index) != out.outputs.end()) {
        throw RequestError("invalid_input", "options.outputs",
                           "Expected each output once, but " + inQuotes(name) + " comes twice.");
      }
      out.outputs.push_back(index);
    }
  }
}

uint32_t RequestReader::countRows(const Body& body) {
  uint32_t rows = 0;
  try {
    walk(body, [&](std::string_view key, ondemand::value value) {
      // Skipped without a look inside: the plugin's JSON.parse checks every byte.
      const bool tensors = key == "tensors" && body.binary;
      if (key != "data" && !tensors) return;
      size_t count = 1;
      if (tensors) {
        count = countTensorRows(value);
      } else if (parsed(value.type()) == ondemand::json_type::array) {
        auto array = parsed(value.get_array());
        count = std::max<size_t>(1, parsed(array.count_elements()));
      }
      // Tensors beside other data are members of one object.
      rows = rows > 0 ? 1 : static_cast<uint32_t>(count);
    });
    if (rows == 0) {
      throw RequestError("invalid_input", "data",
                         "Expected \"data\", the input to predict, but the body has none.");
    }
  } catch (const RequestError& fault) {
    rethrowUnlessMalformed(body, fault);
  }
  return rows;
}

}  // namespace cloudeasyml::codec
