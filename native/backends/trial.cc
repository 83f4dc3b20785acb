#include "backends/trial.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "backends/madeUpRows.h"
#include "backends/outputValues.h"
#include "backends/runModel.h"
#include "protocols/jsonValues.h"

namespace cloudeasyml::backends {

namespace {

using protocols::Tensor;
using protocols::Value;

/// What all runs of a trial may take together. A model may loop as often as an input says.
constexpr std::chrono::seconds kPatience{10};
/// A first run beyond this is not followed by more: joining spares such a model little.
constexpr std::chrono::seconds kSlowRun{3};

/// Cancels what runs on when the time is up.
class TimeLimit {
 public:
  /// @param runs lets the process exit while something runs
  TimeLimit(std::chrono::seconds limit, runtime::RunRegistry& runs)
      : runs_(runs), thread_([this, limit] {
          std::unique_lock lock(mutex_);
          if (!done_.wait_for(lock, limit, [this] { return isDone_; })) token.cancel();
        }) {
    runs_.add(token);
  }
  ~TimeLimit() {
    runs_.remove(token);
    {
      std::lock_guard lock(mutex_);
      isDone_ = true;
    }
    done_.notify_one();
    thread_.join();
  }

  runtime::CancellationToken token{kNoThread};

 private:
  static constexpr int kNoThread = -1;

  runtime::RunRegistry& runs_;
  std::mutex mutex_;
  std::condition_variable done_;
  bool isDone_ = false;
  std::thread thread_;
};

/// Kernels for one row and for many add in different order. What that changes of an output's range.
double tolerance(ONNXTensorElementDataType type) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
      return 5e-3;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
      return 4e-2;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return 1e-9;
    default:
      return 2e-4;
  }
}

bool sameNumbers(const Tensor& alone, size_t a, const Tensor& joined, size_t b, size_t count) {
  double range = 0;
  for (size_t i = 0; i < count; ++i) {
    for (const double number :
         {protocols::numberAt(alone, a + i), protocols::numberAt(joined, b + i)}) {
      if (std::isfinite(number)) range = std::max(range, std::abs(number));
    }
  }
  const double allowed = range * tolerance(alone.type) + 1e-30;
  for (size_t i = 0; i < count; ++i) {
    const double left = protocols::numberAt(alone, a + i);
    const double right = protocols::numberAt(joined, b + i);
    if (left == right || (std::isnan(left) && std::isnan(right))) continue;
    if (!(std::abs(left - right) <= allowed)) return false;
  }
  return true;
}

bool sameElements(const Tensor& alone, size_t a, const Tensor& joined, size_t b, size_t count) {
  if (alone.isText()) {
    for (size_t i = 0; i < count; ++i) {
      if (alone.text(a + i) != joined.text(b + i)) return false;
    }
    return true;
  }
  if (count == 0) return true;
  if (protocols::isFloating(alone.type)) return sameNumbers(alone, a, joined, b, count);
  const size_t size = alone.byteLength() / alone.elementCount();
  return std::memcmp(alone.data() + a * size, joined.data() + b * size, count * size) == 0;
}

bool sameValue(const Value& alone, const Value& joined) {
  if (alone.kind != joined.kind || alone.items.size() != joined.items.size()) return false;
  for (size_t i = 0; i < alone.items.size(); ++i) {
    if (!sameValue(alone.items[i], joined.items[i])) return false;
  }
  if (alone.kind != Value::Kind::kTensor) return true;
  return alone.tensor.dims == joined.tensor.dims &&
         sameElements(alone.tensor, 0, joined.tensor, 0, alone.tensor.elementCount());
}

/// Whether rows [from, from + count) of a joined run are those that a run alone gave.
bool sameRows(const Value& alone, const Value& joined, size_t from, size_t count) {
  if (alone.kind == Value::Kind::kSequence) {
    for (size_t i = 0; i < count; ++i) {
      if (!sameValue(alone.items[i], joined.items[from + i])) return false;
    }
    return true;
  }
  const size_t rowSize = alone.tensor.rowSize();
  return rowSize == joined.tensor.rowSize() &&
         sameElements(alone.tensor, 0, joined.tensor, from * rowSize, count * rowSize);
}

/// The outputs of one run, and the memory that they lie in.
struct Run {
  std::vector<Ort::Value> memory;
  std::vector<Value> outputs;
};

enum class Finding { kSame, kDifferent, kNotTold };

class Trial {
 public:
  Trial(runtime::Session& session, const protocols::Signature& signature,
        const BatchContract& contract, runtime::RunRegistry& runs)
      : session_(session),
        signature_(signature),
        fixed_(static_cast<size_t>(contract.fixedBatch)),
        limit_(kPatience, runs) {}

  Finding run() {
    for (const auto& way : waysToMakeUp()) {
      const auto one = makeUp(signature_, {MadeUpRow::kUsual}, way);
      const auto startedAt = std::chrono::steady_clock::now();
      const auto alone = attempt({&one});
      if (!alone) {
        if (limit_.token.cancelled()) break;
        continue;
      }
      if (std::chrono::steady_clock::now() - startedAt > kSlowRun) break;
      return compare(one, *alone, way);
    }
    return Finding::kNotTold;
  }

  /// What a difference lies in, as a clause.
  const std::string& difference() const noexcept { return difference_; }

 private:
  std::optional<Run> attempt(const Group& group) {
    size_t rows = 0;
    for (const auto* request : group) rows += request->rows;
    try {
      Run run;
      runner_.run(session_, signature_, group, {0, rows, fixed_ > 0 ? fixed_ : rows}, limit_.token,
                  run.memory);
      for (const auto& value : run.memory) run.outputs.push_back(openValue(value));
      return run;
    } catch (const std::exception&) {
      return std::nullopt;
    }
  }

  Finding compare(const protocols::DecodedRequest& one, const Run& alone, const MadeUp& way) {
    // Equal rows, rows of zeros, and an order that no sorting leaves as it is.
    std::vector<MadeUpRow> rows = {MadeUpRow::kLarge, MadeUpRow::kZero, MadeUpRow::kLarge,
                                   MadeUpRow::kLow, MadeUpRow::kUsual};
    if (fixed_ > 0) rows.resize(std::min(rows.size(), fixed_ - 1));
    const size_t more = rows.size();
    const auto others = makeUp(signature_, rows, way);
    const auto othersAlone = attempt({&others});
    const auto joined = attempt({&one, &others});
    if (!othersAlone || !joined) return Finding::kNotTold;
    for (size_t i = 0; i < signature_.outputs.size(); ++i) {
      const auto& name = signature_.outputs[i].name;
      const auto& first = alone.outputs[i];
      const auto& second = othersAlone->outputs[i];
      const auto& both = joined->outputs[i];
      if (!hasRows(first, 1) || !hasRows(second, more) || !hasRows(both, 1 + more)) {
        difference_ = "its output \"" + name + "\" does not have a row for each row of the inputs";
        return Finding::kDifferent;
      }
      if (!sameRows(first, both, 0, 1) || !sameRows(second, both, 1, more)) {
        // What differs by itself tells nothing.
        const auto again = attempt({&one});
        if (!again || !sameRows(first, again->outputs[i], 0, 1)) return Finding::kNotTold;
        difference_ = "a row of its output \"" + name + "\" depends on the other rows of the run";
        return Finding::kDifferent;
      }
    }
    return Finding::kSame;
  }

  bool hasRows(const Value& value, size_t rows) const {
    return value.rows() == (fixed_ > 0 ? fixed_ : rows);
  }

  runtime::Session& session_;
  const protocols::Signature& signature_;
  const size_t fixed_;
  ModelRunner runner_;
  TimeLimit limit_;
  std::string difference_;
};

}  // namespace

void tryJoining(runtime::Session& session, const protocols::Signature& signature,
                BatchContract& contract, runtime::RunRegistry& runs) {
  Trial trial(session, signature, contract, runs);
  const Finding finding = trial.run();
  contract.verified = finding != Finding::kNotTold;
  switch (finding) {
    case Finding::kSame:
      contract.detail = "Requests are joined: made-up rows gave the same answers alone and joined.";
      return;
    case Finding::kDifferent:
      contract.joined = false;
      contract.detail = "Each request is one run: " + trial.difference() + ".";
      break;
    case Finding::kNotTold:
      if (contract.isUncertain) {
        contract.joined = false;
        contract.detail =
            "Each request is one run, not verified: the model's shapes leave it open whether "
            "requests may be joined, and it could not be tried with made-up rows.";
      } else {
        contract.detail =
            "Requests are joined, not verified: the model's shapes say that they may be, but it "
            "could not be tried with made-up rows.";
      }
  }
  if (contract.joined) return;
  // Outputs of a request that is one run are its own, whatever their shape.
  std::fill(contract.outputsByRows.begin(), contract.outputsByRows.end(), false);
  if (contract.fixedBatch == 0) return;
  // What would fill up its batch would change its answer.
  contract.fixedBatch = 0;
  std::fill(contract.inputsByRows.begin(), contract.inputsByRows.end(), false);
}

}  // namespace cloudeasyml::backends
