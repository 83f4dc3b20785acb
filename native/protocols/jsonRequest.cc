#include "protocols/jsonRequest.h"

#include <algorithm>
#include <array>
#include <string>

#include "protocols/binaryTensors.h"
#include "protocols/frame.h"
#include "protocols/jsonData.h"
#include "protocols/jsonParsing.h"
#include "protocols/names.h"
#include "protocols/requestError.h"

namespace cloudeasyml::protocols {

namespace ondemand = simdjson::ondemand;

namespace {

// Throws malformed_json where the source is no JSON, wherever in it the fault is.
void requireJson(const JsonSource& source) {
  ondemand::parser parser;
  auto document = parsed(parser.iterate(source.json.data(), source.json.size(), source.readable));
  if (!parsed(document.is_scalar())) {
    validate(parsed(document.get_value()));
    if (!document.at_end()) throwMalformed(simdjson::TRAILING_CONTENT);
    return;
  }
  // To the lazy parser a bare scalar is no value, to the strict one a number beyond all types.
  const auto json = source.json;
  if (isNumberText(json.substr(std::min(json.find_first_not_of(kJsonSpace), json.size())))) return;
  simdjson::dom::parser strict;
  if (const auto error = strict.parse(source.json.data(), source.json.size()).error()) {
    throwMalformed(error);
  }
}

// Reading stops at the first fault; JSON that is broken further on is a 400 all the same.
[[noreturn]] void rethrowUnlessMalformed(const JsonSource& source, const RequestError& fault) {
  requireJson(source);
  throw fault;
}

/// A bit for each member that may be there once; 0 for the others.
unsigned bitOf(std::string_view key) noexcept {
  static constexpr std::array<std::string_view, 6> kOnce = {"data",    "options",  "deploymentId",
                                                            "tensors", "priority", "timeoutMs"};
  for (size_t i = 0; i < kOnce.size(); ++i) {
    if (key == kOnce[i]) return 1U << i;
  }
  return 0;
}

// Whether a frame's member describes a body that only a plugin's code can read: bytes of some
// media type, or a form's parts.
bool isForeign(std::string_view key, const JsonSource& source) noexcept {
  return source.isFrame && (key == "body" || key == "parts");
}

}  // namespace

JsonSource JsonSource::ofText(const PaddedBuffer& body) noexcept {
  return {body.view(), body.size() + PaddedBuffer::kPadding, false, {}};
}

JsonSource JsonSource::ofFrame(const PaddedBuffer& body) noexcept {
  const auto header = frameHeader(body.view());
  const size_t behind = kFrameLengthBytes + header.size();
  if (!header.data()) return {{}, 0, true, {}};
  return {header, body.size() - kFrameLengthBytes + PaddedBuffer::kPadding, true,
          body.view().substr(behind)};
}

bool isJson(const JsonSource& source) {
  try {
    requireJson(source);
    return true;
  } catch (const RequestError&) {
    return false;
  }
}

template <typename Visit>
void JsonReader::forEachMember(const JsonSource& source, Visit visit) {
  auto document = parsed(parser_.iterate(source.json.data(), source.json.size(), source.readable));
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) {
    if (error != simdjson::INCORRECT_TYPE) throwMalformed(error);
    throw RequestError(ErrorCode::kInvalidInput, "",
                       "Expected the body to be an object like {\"data\": …}.");
  }
  unsigned seen = 0;
  for (auto item : object) {
    auto member = parsed(std::move(item));
    const auto key = parsed(member.unescaped_key(false));
    const unsigned place = bitOf(key);
    if (seen & place) {
      throw RequestError(ErrorCode::kInvalidInput, std::string(key),
                         "Expected one " + inQuotes(key) + ", not two.");
    }
    seen |= place;
    visit(key, member.value());
  }
  if (!document.at_end()) throwMalformed(simdjson::TRAILING_CONTENT);
}

void JsonReader::read(const JsonSource& source, const Signature& model, DecodedRequest& out) {
  out.inputs.resize(model.inputs.size());
  for (auto& input : out.inputs) input.clear();
  out.outputs.clear();
  out.topK = 0;
  out.rows = 0;
  bool found = false;
  try {
    forEachMember(source, [&](std::string_view key, ondemand::value value) {
      if (isForeign(key, source)) {
        throw RequestError(ErrorCode::kUnsupportedMediaType, "",
                           "Expected a body of type application/json: the model has no code that "
                           "could read another.");
      }
      if (key == "tensors" && source.isFrame) {
        found = true;
        readTensors(value, source.tensors, model.inputs, out);
      } else if (key == "data") {
        if (source.isFrame) {
          throw RequestError(ErrorCode::kInvalidInput, "data",
                             "In a binary frame a model without code takes its inputs as "
                             "\"tensors\".");
        }
        found = true;
        readData(value, model, out);
      } else if (key == "options") {
        readOptions(value, model, out);
      } else {
        validate(value);
      }
    });
    if (!found) {
      if (source.isFrame) {
        throw RequestError(ErrorCode::kInvalidInput, "tensors",
                           "Expected \"tensors\", the inputs, but the header has none.");
      }
      throw RequestError(ErrorCode::kInvalidInput, "data",
                         "Expected \"data\", the rows to predict, but the body has none.");
    }
  } catch (const RequestError& fault) {
    rethrowUnlessMalformed(source, fault);
  }
}

uint32_t JsonReader::countRows(const JsonSource& source) {
  uint32_t rows = 0;
  try {
    forEachMember(source, [&](std::string_view key, ondemand::value value) {
      if (isForeign(key, source)) {
        rows = 1;
        return;
      }
      // Skipped without a look inside: the plugin's JSON.parse checks every byte.
      const bool tensors = key == "tensors" && source.isFrame;
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
      throw RequestError(ErrorCode::kInvalidInput, "data",
                         "Expected \"data\", the input to predict, but the body has none.");
    }
  } catch (const RequestError& fault) {
    rethrowUnlessMalformed(source, fault);
  }
  return rows;
}

}  // namespace cloudeasyml::protocols
