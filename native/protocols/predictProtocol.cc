#include "protocols/predictProtocol.h"

#include "protocols/answers.h"
#include "protocols/jsonRequest.h"
#include "protocols/jsonText.h"

namespace cloudeasyml::protocols {

namespace {

class PredictProtocol final : public Protocol {
 public:
  constexpr PredictProtocol(bool binaryBody, bool binaryAnswers)
      : binaryBody_(binaryBody), binaryAnswers_(binaryAnswers) {}

  void decode(const PaddedBuffer& body, const Signature& model, JsonReader& reader,
              DecodedRequest& out) const override {
    reader.read(sourceOf(body), model, out);
  }

  uint32_t countRows(const PaddedBuffer& body, JsonReader& reader) const override {
    return reader.countRows(sourceOf(body));
  }

  bool isWellFormed(const PaddedBuffer& body) const override { return isJson(sourceOf(body)); }

  void encode(std::string& out, const Answer& answer) const override {
    if (binaryAnswers_) {
      writeBinaryAnswer(out, answer);
    } else {
      writeJsonAnswer(out, answer);
    }
  }

  void encodeFailure(std::string& out, const Failure& failure) const override {
    writeFailure(out, failure.code, failure.detail, failure.path);
  }

  bool hasBinaryBody() const noexcept override { return binaryBody_; }
  bool hasBinaryAnswers() const noexcept override { return binaryAnswers_; }

 private:
  JsonSource sourceOf(const PaddedBuffer& body) const {
    return binaryBody_ ? JsonSource::ofFrame(body) : JsonSource::ofText(body);
  }

  const bool binaryBody_;
  const bool binaryAnswers_;
};

}  // namespace

const Protocol& predictProtocol(bool hasBinaryBody, bool hasBinaryAnswers) noexcept {
  static const PredictProtocol kProtocols[] = {
      {false, false}, {false, true}, {true, false}, {true, true}};
  return kProtocols[(hasBinaryBody ? 2 : 0) + (hasBinaryAnswers ? 1 : 0)];
}

}  // namespace cloudeasyml::protocols
