// A useful part of PromQL: selectors, rates over ranges, aggregation, arithmetic, comparison, set operators and
// histogram_quantile. What is left out is refused by name, never misread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sim/request_traffic.h"

namespace reconciler {

struct LabelMatcher {
  enum class Is { Equal, Different, Like, Unlike };
  std::string name;
  Is is = Is::Equal;
  std::string value;
  std::shared_ptr<const std::regex> pattern = nullptr;  ///< of Like and Unlike

  bool matches(const SeriesLabels& labels) const;
};

struct Expression {
  enum class Kind { Number, Text, Selector, Call, Aggregate, Binary, Negate };
  Kind kind = Kind::Number;
  double number = 0;
  std::string name = {};                    ///< function, aggregation, operator, or text
  std::vector<LabelMatcher> matchers = {};  ///< of a selector, the metric's name among them as `__name__`
  Duration range = 0ms;                     ///< of a range selector
  Duration offset = 0ms;                    ///< of a selector
  std::vector<std::string> grouping = {};   ///< labels of by, without, on, ignoring
  bool grouping_excludes = true;            ///< without, ignoring
  bool comparison_is_value = false;         ///< `bool`
  std::vector<Expression> operands = {};
};

/// `Invalid` with the position of what cannot be read.
Result<Expression> parse_promql(std::string_view text);

/// One series with its value for any time.
struct SourceSeries {
  SeriesLabels labels;  ///< with `__name__`
  std::function<std::optional<double>(TimePoint)> at;
};
/// All series that fit the matchers.
using SeriesSource = std::function<std::vector<SourceSeries>(const std::vector<LabelMatcher>&)>;

struct VectorElement {
  SeriesLabels labels;
  double value = 0;
};
using InstantVector = std::vector<VectorElement>;
using PromValue = std::variant<double, InstantVector>;

Result<PromValue> evaluate_promql(const Expression& expression, TimePoint time, const SeriesSource& source);

}  // namespace reconciler
