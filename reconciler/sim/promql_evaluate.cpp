#include <algorithm>
#include <cmath>
#include <limits>

#include "base/format.h"
#include "sim/promql.h"

namespace reconciler {
namespace {

/// As if a Prometheus scraped once a second.
constexpr Duration kScrape = 1s;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

TimePoint scrape_at_or_before(TimePoint time) {
  return TimePoint(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()));
}

struct Sample {
  TimePoint time;
  double value = 0;
};

/// The scraped samples in (from, to].
std::vector<Sample> samples_of(const SourceSeries& series, TimePoint from, TimePoint to) {
  std::vector<Sample> samples;
  for (TimePoint time = scrape_at_or_before(from) + kScrape; time <= to; time += kScrape)
    if (auto value = series.at(time)) samples.push_back({time, *value});
  return samples;
}

/// Prometheus' extrapolation of a counter to the edges of its range.
double extrapolated_increase(const Sample& first, const Sample& last, TimePoint from, TimePoint to) {
  double increase = last.value - first.value;
  double sampled = seconds(last.time - first.time);
  double between = seconds(kScrape);
  double to_start = seconds(first.time - from), to_end = seconds(to - last.time);
  if (increase > 0 && first.value >= 0) to_start = std::min(to_start, sampled * (first.value / increase));
  double threshold = between * 1.1;
  double covered =
      sampled + (to_start < threshold ? to_start : between / 2) + (to_end < threshold ? to_end : between / 2);
  return increase * covered / sampled;
}

std::optional<double> over_range(const std::string& function, const SourceSeries& series, TimePoint from,
                                 TimePoint to) {
  if (function == "rate" || function == "increase" || function == "delta" || function == "irate") {
    // A counter never resets here, so its two ends say everything.
    TimePoint begin = scrape_at_or_before(from) + kScrape, end = scrape_at_or_before(to);
    while (begin < end && !series.at(begin)) begin += std::max<Duration>(kScrape, Duration(0));
    if (function == "irate") begin = std::max(begin, end - kScrape);
    auto first = series.at(begin), last = series.at(end);
    if (!first || !last || begin >= end) return std::nullopt;
    if (function == "irate") return (*last - *first) / seconds(end - begin);
    double increase = extrapolated_increase({begin, *first}, {end, *last}, from, to);
    return function == "rate" ? increase / seconds(to - from) : increase;
  }
  auto samples = samples_of(series, from, to);
  if (samples.empty()) return std::nullopt;
  double sum = 0, most = samples[0].value, least = samples[0].value;
  for (const Sample& each : samples) {
    sum += each.value;
    most = std::max(most, each.value);
    least = std::min(least, each.value);
  }
  if (function == "sum_over_time") return sum;
  if (function == "avg_over_time") return sum / double(samples.size());
  if (function == "max_over_time") return most;
  if (function == "min_over_time") return least;
  return double(samples.size());
}

SeriesLabels without_name(SeriesLabels labels) {
  labels.erase("__name__");
  return labels;
}

SeriesLabels grouped(const SeriesLabels& labels, const std::vector<std::string>& names, bool excludes) {
  SeriesLabels key;
  for (const auto& [name, value] : labels) {
    bool named = std::find(names.begin(), names.end(), name) != names.end();
    if (named != excludes && name != "__name__") key[name] = value;
  }
  return key;
}

bool is_comparison(const std::string& op) {
  return op == "==" || op == "!=" || op == ">" || op == "<" || op == ">=" || op == "<=";
}

double calculate(const std::string& op, double a, double b) {
  if (op == "+") return a + b;
  if (op == "-") return a - b;
  if (op == "*") return a * b;
  if (op == "/") return a / b;
  if (op == "%") return std::fmod(a, b);
  if (op == "^") return std::pow(a, b);
  if (op == "==") return a == b;
  if (op == "!=") return a != b;
  if (op == ">") return a > b;
  if (op == "<") return a < b;
  if (op == ">=") return a >= b;
  return a <= b;
}

/// The quantile of one histogram: its buckets by upper bound, cumulative.
double quantile_of(double q, const std::map<double, double>& buckets) {
  if (buckets.empty() || !std::isinf(buckets.rbegin()->first) || buckets.size() < 2)
    return std::numeric_limits<double>::quiet_NaN();
  double total = buckets.rbegin()->second;
  if (total == 0 || std::isnan(q)) return std::numeric_limits<double>::quiet_NaN();
  if (q < 0) return -std::numeric_limits<double>::infinity();
  if (q > 1) return std::numeric_limits<double>::infinity();
  double rank = q * total, lower = 0, below = 0;
  for (const auto& [bound, count] : buckets) {
    if (count >= rank) {
      if (std::isinf(bound)) return lower;
      return count == below ? bound : lower + (bound - lower) * (rank - below) / (count - below);
    }
    lower = bound;
    below = count;
  }
  return lower;
}

class Evaluator {
 public:
  Evaluator(TimePoint time, const SeriesSource& source) : time_(time), source_(source) {}

  Result<PromValue> evaluate(const Expression& e) {
    switch (e.kind) {
      case Expression::Kind::Number: return PromValue(e.number);
      case Expression::Kind::Text: return invalid("a text is no value here");
      case Expression::Kind::Selector: return select(e);
      case Expression::Kind::Call: return call(e);
      case Expression::Kind::Aggregate: return aggregate(e);
      case Expression::Kind::Binary: return binary(e);
      case Expression::Kind::Negate: {
        auto value = evaluate(e.operands[0]);
        if (!value) return value;
        return each(*value, [](double v) { return -v; });
      }
    }
    unreachable();
  }

 private:
  static PromValue each(const PromValue& value, const std::function<double(double)>& function) {
    if (auto* number = std::get_if<double>(&value)) return function(*number);
    InstantVector out;
    for (const VectorElement& element : std::get<InstantVector>(value))
      out.push_back({without_name(element.labels), function(element.value)});
    return out;
  }

  Result<PromValue> select(const Expression& e) {
    if (e.range > 0ms) return invalid("a range vector stands where an instant vector is wanted");
    InstantVector out;
    for (const SourceSeries& series : source_(e.matchers))
      if (auto value = series.at(scrape_at_or_before(time_ - e.offset))) out.push_back({series.labels, *value});
    return PromValue(out);
  }

  Result<PromValue> call(const Expression& e) {
    const std::string& name = e.name;
    size_t wanted = name == "time"                                                               ? 0
                    : name == "clamp_min" || name == "clamp_max" || name == "histogram_quantile" ? 2
                                                                                                 : 1;
    if (e.operands.size() != wanted)
      return invalid(format("{} takes {} argument(s), got {}", name, wanted, e.operands.size()));
    if (name == "time") return PromValue(seconds(time_.time_since_epoch()));
    if (name == "rate" || name == "increase" || name == "irate" || name == "delta" || name.ends_with("_over_time"))
      return range_call(e);
    if (name == "histogram_quantile") return quantile(e);
    auto value = evaluate(e.operands[0]);
    if (!value) return value;
    if (name == "scalar") {
      if (std::holds_alternative<double>(*value)) return value;
      const auto& vector = std::get<InstantVector>(*value);
      return PromValue(vector.size() == 1 ? vector[0].value : std::numeric_limits<double>::quiet_NaN());
    }
    if (name == "vector") {
      if (auto* number = std::get_if<double>(&*value)) return PromValue(InstantVector{{{}, *number}});
      return invalid("vector wants a scalar");
    }
    if (name == "absent") {
      auto* vector = std::get_if<InstantVector>(&*value);
      return PromValue(vector && vector->empty() ? InstantVector{{{}, 1}} : InstantVector{});
    }
    double bound = 0;
    if (wanted == 2) {
      auto second = evaluate(e.operands[1]);
      if (!second) return second;
      if (!std::holds_alternative<double>(*second)) return invalid(name + " wants a scalar bound");
      bound = std::get<double>(*second);
    }
    return each(*value, [&](double v) {
      if (name == "abs") return std::abs(v);
      if (name == "ceil") return std::ceil(v);
      if (name == "floor") return std::floor(v);
      if (name == "round") return std::floor(v + 0.5);
      return name == "clamp_min" ? std::max(v, bound) : std::min(v, bound);
    });
  }

  Result<PromValue> range_call(const Expression& e) {
    const Expression& selector = e.operands[0];
    if (selector.kind != Expression::Kind::Selector || selector.range <= 0ms)
      return invalid(format("{} wants a range vector, such as requests_total[5m]", e.name));
    if (selector.range > 24h) return invalid("a range longer than a day is not supported");
    InstantVector out;
    TimePoint to = time_ - selector.offset;
    for (const SourceSeries& series : source_(selector.matchers))
      if (auto value = over_range(e.name, series, to - selector.range, to))
        out.push_back({without_name(series.labels), *value});
    return PromValue(out);
  }

  Result<PromValue> quantile(const Expression& e) {
    auto q = evaluate(e.operands[0]);
    if (!q) return q;
    auto value = evaluate(e.operands[1]);
    if (!value) return value;
    auto* buckets = std::get_if<InstantVector>(&*value);
    if (!buckets || !std::holds_alternative<double>(*q))
      return invalid("histogram_quantile wants a scalar and a vector");
    std::map<SeriesLabels, std::map<double, double>> histograms;
    for (const VectorElement& element : *buckets) {
      auto bound = element.labels.find("le");
      if (bound == element.labels.end()) continue;
      double le = bound->second == "+Inf" ? std::numeric_limits<double>::infinity()
                                          : std::strtod(bound->second.c_str(), nullptr);
      histograms[grouped(element.labels, {"le"}, true)][le] += element.value;
    }
    InstantVector out;
    for (const auto& [labels, histogram] : histograms)
      out.push_back({labels, quantile_of(std::get<double>(*q), histogram)});
    return PromValue(out);
  }

  Result<PromValue> aggregate(const Expression& e) {
    auto value = evaluate(e.operands[0]);
    if (!value) return value;
    auto* vector = std::get_if<InstantVector>(&*value);
    if (!vector) return invalid(e.name + " wants a vector");
    std::map<SeriesLabels, std::vector<double>> groups;
    for (const VectorElement& element : *vector)
      groups[grouped(element.labels, e.grouping, e.grouping_excludes)].push_back(element.value);
    InstantVector out;
    for (const auto& [labels, values] : groups) {
      double sum = 0, most = values[0], least = values[0];
      for (double v : values) {
        sum += v;
        most = std::max(most, v);
        least = std::min(least, v);
      }
      double count = double(values.size());
      out.push_back({labels, e.name == "sum"   ? sum
                             : e.name == "avg" ? sum / count
                             : e.name == "max" ? most
                             : e.name == "min" ? least
                                               : count});
    }
    return PromValue(out);
  }

  Result<PromValue> binary(const Expression& e) {
    auto left = evaluate(e.operands[0]);
    if (!left) return left;
    auto right = evaluate(e.operands[1]);
    if (!right) return right;
    auto *a = std::get_if<double>(&*left), *b = std::get_if<double>(&*right);
    bool set_operator = e.name == "and" || e.name == "or" || e.name == "unless";
    if (set_operator && (a || b)) return invalid("set operator " + e.name + " wants vectors");
    if (a && b) {
      if (is_comparison(e.name) && !e.comparison_is_value)
        return invalid("comparisons between scalars must use BOOL modifier");
      return PromValue(calculate(e.name, *a, *b));
    }
    if (set_operator) return sets(e, std::get<InstantVector>(*left), std::get<InstantVector>(*right));
    if (a || b) return with_scalar(e, std::get<InstantVector>(a ? *right : *left), a ? *a : *b, a != nullptr);
    return matched(e, std::get<InstantVector>(*left), std::get<InstantVector>(*right));
  }

  static SeriesLabels key_of(const Expression& e, const SeriesLabels& labels) {
    return grouped(labels, e.grouping, e.grouping_excludes);
  }

  static PromValue sets(const Expression& e, const InstantVector& left, const InstantVector& right) {
    std::set<SeriesLabels> left_keys, right_keys;
    for (const auto& element : left) left_keys.insert(key_of(e, element.labels));
    for (const auto& element : right) right_keys.insert(key_of(e, element.labels));
    InstantVector out;
    for (const auto& element : left)
      if (e.name == "or" || right_keys.contains(key_of(e, element.labels)) == (e.name == "and")) out.push_back(element);
    if (e.name == "or")
      for (const auto& element : right)
        if (!left_keys.contains(key_of(e, element.labels))) out.push_back(element);
    return out;
  }

  static PromValue with_scalar(const Expression& e, const InstantVector& vector, double scalar, bool scalar_first) {
    InstantVector out;
    for (const auto& element : vector) {
      double result =
          scalar_first ? calculate(e.name, scalar, element.value) : calculate(e.name, element.value, scalar);
      if (!is_comparison(e.name) || e.comparison_is_value)
        out.push_back({without_name(element.labels), result});
      else if (result != 0)
        out.push_back(element);
    }
    return out;
  }

  static Result<PromValue> matched(const Expression& e, const InstantVector& left, const InstantVector& right) {
    std::map<SeriesLabels, double> others;
    for (const auto& element : right)
      if (!others.emplace(key_of(e, element.labels), element.value).second)
        return invalid("found duplicate series for the match group on the right hand-side of the operation");
    std::set<SeriesLabels> seen;
    InstantVector out;
    for (const auto& element : left) {
      SeriesLabels key = key_of(e, element.labels);
      auto other = others.find(key);
      if (other == others.end()) continue;
      if (!seen.insert(key).second)
        return invalid("multiple matches for labels: many-to-one matching is not supported");
      double result = calculate(e.name, element.value, other->second);
      if (is_comparison(e.name) && !e.comparison_is_value) {
        if (result != 0) out.push_back(element);
      } else {
        out.push_back({key, result});
      }
    }
    return PromValue(out);
  }

  TimePoint time_;
  const SeriesSource& source_;
};

}  // namespace

Result<PromValue> evaluate_promql(const Expression& expression, TimePoint time, const SeriesSource& source) {
  return Evaluator(time, source).evaluate(expression);
}

}  // namespace reconciler
