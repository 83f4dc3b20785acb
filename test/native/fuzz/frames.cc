// A connection's frames: what is found without parsing, against a strict parser's tree, and the
// engine's frames taken apart again.
#include "support/frames.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

#include "fuzz/strictJson.h"
#include "fuzz/target.h"

using namespace cloudeasyml::test;

namespace {

constexpr size_t kLongestId = 128;

/// A client's frame as its tree tells it; only how an id is written is left open.
struct Expected {
  bool twice = false;
  bool hasId = false;
  bool hasData = false;
  bool wrongDeployment = false;
  bool wrongSwitch = false;
  bool wrongPriority = false;
  bool wrongTimeout = false;
  std::optional<std::string_view> deploymentId;
  bool switches[4] = {};
};

constexpr std::string_view kSwitches[] = {"stream", "end", "cancel", "binary"};

bool isWholeFrom1(simdjson::dom::element value, int64_t most) {
  int64_t number;
  return !value.get(number) && number >= 1 && number <= most;
}

Expected expectedOf(simdjson::dom::object object) {
  Expected expected;
  std::string seen = " ";
  for (const auto field : object) {
    const auto name = std::find(std::begin(kSwitches), std::end(kSwitches), field.key);
    const bool isSwitch = name != std::end(kSwitches);
    const bool isData = field.key == "data" || field.key == "tensors";
    const bool isPriority = field.key == "priority";
    const bool isTimeout = field.key == "timeoutMs";
    const bool isKnown = isSwitch || isData || isPriority || isTimeout || field.key == "id" ||
                         field.key == "deploymentId";
    if (!isKnown) continue;
    const auto entry = " " + std::string(field.key) + " ";
    expected.twice = expected.twice || seen.find(entry) != std::string::npos;
    seen += entry;
    if (isSwitch) {
      bool value = false;
      if (field.value.get(value)) expected.wrongSwitch = true;
      expected.switches[name - std::begin(kSwitches)] = value;
    } else if (isData) {
      expected.hasData = true;
    } else if (isPriority) {
      expected.wrongPriority = expected.wrongPriority || !isWholeFrom1(field.value, 9);
    } else if (isTimeout) {
      expected.wrongTimeout = expected.wrongTimeout || !isWholeFrom1(field.value, INT32_MAX);
    } else if (field.key == "id") {
      expected.hasId = expected.hasId || field.value.is_string() || field.value.is_number();
    } else {
      std::string_view text;
      if (field.value.get(text)) {
        expected.wrongDeployment = true;
      } else {
        expected.deploymentId = text;
      }
    }
  }
  return expected;
}

void requireAsExpected(const ScannedFrame& frame, const Expected& expected, bool shortText) {
  const bool faulty = expected.twice || expected.wrongDeployment || expected.wrongSwitch ||
                      expected.wrongPriority || expected.wrongTimeout;
  switch (frame.fault) {
    case Fault::kId:
      REQUIRE(!expected.hasId || !shortText);
      return;
    case Fault::kTwice:
      REQUIRE(expected.twice);
      return;
    case Fault::kDeploymentId:
      REQUIRE(expected.wrongDeployment);
      return;
    case Fault::kSwitch:
      REQUIRE(expected.wrongSwitch);
      return;
    case Fault::kPriority:
      REQUIRE(expected.wrongPriority);
      return;
    case Fault::kTimeout:
      REQUIRE(expected.wrongTimeout);
      return;
    default:
      REQUIRE(frame.fault == Fault::kNone);
  }
  REQUIRE(!faulty);
  REQUIRE(expected.hasId);
  REQUIRE(frame.id.size() <= kLongestId);
  REQUIRE(StrictJson(frame.id).valid());
  REQUIRE(frame.hasData == expected.hasData);
  const bool found[] = {frame.stream, frame.end, frame.cancel, frame.binary};
  REQUIRE(std::equal(std::begin(found), std::end(found), expected.switches));
  const auto written = "\"" + std::string(frame.deploymentId) + "\"";
  const StrictJson deploymentId(written);
  REQUIRE(deploymentId.valid());
  REQUIRE(deploymentId.root().get_string().value_unsafe() == expected.deploymentId.value_or(""));
}

void scanText(std::string_view text) {
  const auto frame = scan(text);
  // Names that are written with escapes are not looked for.
  if (isMarked(text) || text.find("\\u") != std::string_view::npos) return;
  const StrictJson strict(text);
  // Numbers beyond all types make it lose what the others are.
  if (!strict.valid() || strict.simplified()) return;
  simdjson::dom::object object;
  if (strict.root().get(object)) {
    REQUIRE(frame.fault == Fault::kNotAnObject);
    return;
  }
  requireAsExpected(frame, expectedOf(object), text.size() <= kLongestId);
}

void takeApart(std::string_view frame) {
  const auto header = headerOf(frame);
  if (!header) return;
  scan(*header);
  REQUIRE(joinFrame(*header, frame.substr(4 + header->size())) == frame);
}

/// @param answer of text, or of a header where there are tensors
void write(std::string_view answer, std::string_view tensors, size_t choice) {
  static constexpr std::string_view kHeads[] = {"", "{\"id\":7,\"done\":true,",
                                                "{\"id\":\"a\",\"error\":"};
  const auto head = kHeads[choice % 3];
  const std::string_view tail = choice % 3 == 2 ? "}" : "";
  const bool cut = !head.empty() && tail.empty() && !answer.empty();
  const auto text = std::string(head).append(answer.substr(cut ? 1 : 0)).append(tail);
  REQUIRE(writeFrame(head, answer, tail, false) == text);

  const auto frame = writeFrame(head, joinFrame(answer, tensors), tail, true);
  const auto header = headerOf(frame);
  REQUIRE(header);
  REQUIRE(header->substr(0, text.size()) == text);
  REQUIRE(header->find_first_not_of(' ', text.size()) == std::string_view::npos);
  REQUIRE((4 + header->size()) % 8 == 0);
  REQUIRE(header->size() < text.size() + 8);
  REQUIRE(frame.substr(4 + header->size()) == tensors);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const size_t choice = input.choose(3);
  const auto text = input.rest();
  scanText(text);
  takeApart(text);
  const size_t half = text.size() / 2;
  write(text, "", choice);
  write(text.substr(0, half), text.substr(half), choice);
  return 0;
}
