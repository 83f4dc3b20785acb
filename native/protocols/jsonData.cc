#include "protocols/jsonData.h"

#include <algorithm>
#include <string>
#include <vector>

#include "protocols/jsonParsing.h"
#include "protocols/jsonTensors.h"
#include "protocols/names.h"
#include "protocols/requestError.h"

namespace cloudeasyml::protocols {

namespace ondemand = simdjson::ondemand;

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& detail) {
  throw RequestError(ErrorCode::kInvalidInput, path, detail);
}

/// Which of a model's inputs were given.
class InputNames {
 public:
  explicit InputNames(const std::vector<InputSpec>& specs)
      : specs_(specs), seen_(specs.size(), false) {}

  /// @param at how messages call the object that has the name
  /// @returns the input's place
  size_t take(std::string_view name, const std::string& at) {
    const auto spec = std::find_if(specs_.begin(), specs_.end(),
                                   [&](const InputSpec& each) { return each.name == name; });
    if (spec == specs_.end()) {
      refuse(at, "The model has no input " + inQuotes(name) + "; it takes " + listed(specs_) + ".");
    }
    const auto place = static_cast<size_t>(spec - specs_.begin());
    if (seen_[place]) refuse(at + "." + spec->name, "Expected this input once.");
    seen_[place] = true;
    return place;
  }

  void requireAll(const std::string& at) const {
    for (size_t i = 0; i < specs_.size(); ++i) {
      if (seen_[i]) continue;
      refuse(at + "." + specs_[i].name,
             "The input is missing; the model takes " + listed(specs_) + ".");
    }
  }

 private:
  const std::vector<InputSpec>& specs_;
  std::vector<bool> seen_;
};

/// {input: tensor, …}
void readColumns(ondemand::object object, const Signature& model, DecodedRequest& out) {
  InputNames names(model.inputs);
  const InputSpec* first = nullptr;
  for (auto item : object) {
    auto member = parsed(std::move(item));
    const std::string key(parsed(member.unescaped_key(false)));
    const size_t place = names.take(key, "data");
    const auto& spec = model.inputs[place];
    const std::string path = "data." + key;
    readTensor(member.value(), spec, path, out.inputs[place]);
    if (!spec.byRows) continue;
    const auto rows = static_cast<uint32_t>(out.inputs[place].dims[0]);
    if (first && rows != out.rows) {
      refuse(path, "Expected " + std::to_string(out.rows) + " rows, as many as " +
                       inQuotes(first->name) + " has, but received " + std::to_string(rows) + ".");
    }
    first = &spec;
    out.rows = rows;
  }
  names.requireAll("data");
  if (!first) out.rows = 1;
}

/// [{input: value, …}, …]
void readRecords(ondemand::array array, const Signature& model, DecodedRequest& out) {
  uint32_t row = 0;
  for (auto item : array) {
    const std::string at = "data[" + std::to_string(row) + "]";
    if (row == kMostRows) {
      refuse("data", "Expected from 1 to " + std::to_string(kMostRows) + " rows.");
    }
    auto value = parsed(std::move(item));
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) {
      if (error != simdjson::INCORRECT_TYPE) throwMalformed(error);
      refuse(at, "Expected an object with a value for each input, " + listed(model.inputs) +
                     ", but received " + kindOf(value) + ".");
    }
    InputNames names(model.inputs);
    for (auto field : object) {
      auto member = parsed(std::move(field));
      const std::string key(parsed(member.unescaped_key(false)));
      const size_t place = names.take(key, at);
      readRow(member.value(), model.inputs[place], row, at + "." + key, out.inputs[place]);
    }
    names.requireAll(at);
    ++row;
  }
  if (row == 0) refuse("data", "Expected at least one row but received none.");
  out.rows = row;
}

void readOutputs(ondemand::value value, const Signature& model, DecodedRequest& out) {
  static const char kPath[] = "options.outputs";
  ondemand::array names;
  if (const auto error = value.get_array().get(names)) {
    if (error != simdjson::INCORRECT_TYPE) throwMalformed(error);
    refuse(kPath, "Expected an array of output names, out of " + listed(model.outputs) + ".");
  }
  for (auto each : names) {
    std::string_view name;
    const auto error = each.get_string().get(name);
    if (error && error != simdjson::INCORRECT_TYPE) throwMalformed(error);
    const auto known = std::find_if(model.outputs.begin(), model.outputs.end(),
                                    [&](const OutputSpec& output) { return output.name == name; });
    if (error || known == model.outputs.end()) {
      refuse(kPath, (error ? std::string("Expected names of outputs")
                           : "The model has no output " + inQuotes(name)) +
                        "; it has " + listed(model.outputs) + ".");
    }
    const auto index = static_cast<uint32_t>(known - model.outputs.begin());
    if (std::find(out.outputs.begin(), out.outputs.end(), index) != out.outputs.end()) {
      refuse(kPath, "Expected each output once, but " + inQuotes(name) + " comes twice.");
    }
    out.outputs.push_back(index);
  }
}

void readTopK(ondemand::value value, DecodedRequest& out) {
  uint64_t count = 0;
  if (value.get_uint64().get(count) || count == 0) {
    refuse("options.topK", "Expected how many labels to answer, a whole number from 1.");
  }
  out.topK = static_cast<uint32_t>(std::min<uint64_t>(count, UINT32_MAX));
}

}  // namespace

void readData(ondemand::value data, const Signature& model, DecodedRequest& out) {
  if (model.inputs.size() == 1) {
    const auto& spec = model.inputs[0];
    readTensor(data, spec, "data", out.inputs[0]);
    out.rows = spec.byRows ? static_cast<uint32_t>(out.inputs[0].dims[0]) : 1;
    return;
  }
  const bool takesRecords =
      !model.inputs.empty() && std::all_of(model.inputs.begin(), model.inputs.end(),
                                           [](const InputSpec& spec) { return spec.byRows; });
  const auto type = parsed(data.type());
  if (type == ondemand::json_type::object) {
    readColumns(parsed(data.get_object()), model, out);
  } else if (type == ondemand::json_type::array && takesRecords) {
    readRecords(parsed(data.get_array()), model, out);
  } else {
    refuse("data", model.inputs.empty()
                       ? std::string("Expected {}: the model has no inputs.")
                       : "Expected an object with the rows of each input: " + listed(model.inputs) +
                             (takesRecords ? ", or an array of objects, one per row." : "."));
  }
}

void readOptions(ondemand::value value, const Signature& model, DecodedRequest& out) {
  ondemand::object object;
  if (const auto error = value.get_object().get(object)) {
    if (error != simdjson::INCORRECT_TYPE) throwMalformed(error);
    refuse("options", "Expected an object.");
  }
  for (auto item : object) {
    auto member = parsed(std::move(item));
    const auto key = parsed(member.unescaped_key(false));
    if (key == "outputs") {
      readOutputs(member.value(), model, out);
    } else if (key == "topK" && model.hasLabels()) {
      readTopK(member.value(), out);
    } else {
      validate(member.value());
    }
  }
}

}  // namespace cloudeasyml::protocols
