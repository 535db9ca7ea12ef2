#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/format.h"
#include "sim/promql.h"

namespace reconciler {
namespace {

const std::set<std::string, std::less<>> kAggregations{"sum", "avg", "max", "min", "count"};
const std::set<std::string, std::less<>> kFunctions{"rate",
                                                    "increase",
                                                    "irate",
                                                    "delta",
                                                    "sum_over_time",
                                                    "avg_over_time",
                                                    "max_over_time",
                                                    "min_over_time",
                                                    "count_over_time",
                                                    "scalar",
                                                    "vector",
                                                    "abs",
                                                    "ceil",
                                                    "floor",
                                                    "round",
                                                    "clamp_min",
                                                    "clamp_max",
                                                    "absent",
                                                    "time",
                                                    "histogram_quantile"};
constexpr int kDepthMax = 64;
constexpr size_t kPatternMax = 500;

bool is_name_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == ':'; }
bool is_name_part(char c) { return is_name_start(c) || std::isdigit(static_cast<unsigned char>(c)); }

struct Operator {
  std::string_view text;
  int strength;
};
constexpr Operator kOperators[] = {{"or", 1}, {"and", 2}, {"unless", 2}, {"==", 3}, {"!=", 3},
                                   {">=", 3}, {"<=", 3},  {">", 3},      {"<", 3},  {"+", 4},
                                   {"-", 4},  {"*", 5},   {"/", 5},      {"%", 5},  {"^", 6}};

/// Recursive descent; the first thing that cannot be read sets `error_` and everything after it is idle.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Expression> parse() {
    Expression made = expression(1);
    skip_space();
    if (!error_ && at_ < text_.size()) fail("unexpected " + std::string(1, text_[at_]));
    if (error_) return *error_;
    return made;
  }

 private:
  void fail(const std::string& what) {
    if (!error_) error_ = invalid(format("1:{}: parse error: {}", at_ + 1, what));
    at_ = text_.size();
  }

  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }

  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void expect(char c) {
    if (!take(c)) fail(std::string("expected ") + c);
  }

  std::string peek_name() {
    skip_space();
    size_t end = at_;
    if (end < text_.size() && is_name_start(text_[end]))
      while (end < text_.size() && is_name_part(text_[end])) ++end;
    return std::string(text_.substr(at_, end - at_));
  }

  bool take_word(std::string_view word) {
    if (peek_name() != word) return false;
    at_ += word.size();
    return true;
  }

  const Operator* peek_operator() {
    skip_space();
    std::string name = peek_name();
    for (const Operator& each : kOperators) {
      bool word = std::isalpha(static_cast<unsigned char>(each.text[0]));
      if (word ? name == each.text : text_.substr(at_).starts_with(each.text)) return &each;
    }
    return nullptr;
  }

  Expression expression(int strength) {
    if (++depth_ > kDepthMax) fail("nested too deeply");
    Expression left = unary();
    while (!error_) {
      const Operator* op = peek_operator();
      if (!op || op->strength < strength) break;
      at_ += op->text.size();
      Expression made{.kind = Expression::Kind::Binary, .name = std::string(op->text)};
      if (take_word("bool")) made.comparison_is_value = true;
      bool on = peek_name() == "on", ignoring = peek_name() == "ignoring";
      if (on || ignoring) {
        at_ += on ? 2 : 8;
        made.grouping = label_list();
        made.grouping_excludes = ignoring;
      }
      if (peek_name() == "group_left" || peek_name() == "group_right") fail(peek_name() + " is not supported");
      // `^` binds to the right, the others to the left.
      made.operands.push_back(std::move(left));
      made.operands.push_back(expression(op->strength + (op->text == "^" ? 0 : 1)));
      left = std::move(made);
    }
    --depth_;
    return left;
  }

  Expression unary() {
    if (take('-')) {
      Expression made{.kind = Expression::Kind::Negate};
      made.operands.push_back(expression(6));
      return made;
    }
    take('+');
    return primary();
  }

  Expression primary() {
    skip_space();
    if (at_ >= text_.size()) {
      fail("unexpected end of input");
      return {};
    }
    char c = text_[at_];
    if (take('(')) {
      Expression inner = expression(1);
      expect(')');
      return inner;
    }
    if (c == '"' || c == '\'') return {.kind = Expression::Kind::Text, .name = quoted()};
    if (std::isdigit(static_cast<unsigned char>(c)) || c == '.') return number();
    if (c == '{') return selector("");
    std::string name = peek_name();
    if (name.empty()) {
      fail(std::string("unexpected ") + c);
      return {};
    }
    at_ += name.size();
    if (name == "inf" || name == "Inf") return {.number = std::numeric_limits<double>::infinity()};
    if (name == "nan" || name == "NaN") return {.number = std::numeric_limits<double>::quiet_NaN()};
    if (kAggregations.contains(name)) return aggregation(name);
    skip_space();
    if (at_ < text_.size() && text_[at_] == '(') return call(name);
    return selector(name);
  }

  Expression number() {
    size_t end = at_;
    while (end < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '.' ||
            ((text_[end] == '-' || text_[end] == '+') && (text_[end - 1] == 'e' || text_[end - 1] == 'E'))))
      ++end;
    std::string digits(text_.substr(at_, end - at_));
    char* stop = nullptr;
    double value = std::strtod(digits.c_str(), &stop);
    if (*stop) fail("bad number " + digits);
    at_ = std::max(at_, std::min(end, text_.size()));
    return {.number = value};
  }

  std::string quoted() {
    skip_space();
    if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '\'' && text_[at_] != '`')) {
      fail("expected a quoted text");
      return "";
    }
    char quote = text_[at_++];
    std::string out;
    while (at_ < text_.size() && text_[at_] != quote) {
      char c = text_[at_++];
      if (c == '\\' && quote != '`' && at_ < text_.size()) {
        c = text_[at_++];
        if (c == 'n') c = '\n';
        if (c == 't') c = '\t';
      }
      out += c;
    }
    if (at_ >= text_.size())
      fail("unterminated text");
    else
      ++at_;
    return out;
  }

  Duration duration() {
    skip_space();
    size_t end = at_;
    while (end < text_.size() && std::isalnum(static_cast<unsigned char>(text_[end]))) ++end;
    std::string written(text_.substr(at_, end - at_));
    auto parsed = parse_duration(written);
    if (!parsed || written.empty() || std::isdigit(static_cast<unsigned char>(written.back()))) {
      fail("not a duration: " + written);
      return 0ms;
    }
    at_ = end;
    return *parsed;
  }

  std::vector<std::string> label_list() {
    std::vector<std::string> labels;
    expect('(');
    while (!error_ && !take(')')) {
      std::string name = peek_name();
      if (name.empty()) fail("expected a label name");
      at_ += name.size();
      labels.push_back(name);
      if (!take(',') && at_ < text_.size() && (skip_space(), text_[at_] != ')')) fail("expected , or )");
    }
    return labels;
  }

  Expression aggregation(const std::string& name) {
    Expression made{.kind = Expression::Kind::Aggregate, .name = name, .grouping_excludes = false};
    auto grouping = [&] {
      bool by = peek_name() == "by", without = peek_name() == "without";
      if (!by && !without) return;
      at_ += by ? 2 : 7;
      made.grouping = label_list();
      made.grouping_excludes = without;
    };
    grouping();
    expect('(');
    made.operands.push_back(expression(1));
    expect(')');
    grouping();
    return made;
  }

  Expression call(const std::string& name) {
    if (!kFunctions.contains(name)) fail("function " + name + " is not supported");
    Expression made{.kind = Expression::Kind::Call, .name = name};
    expect('(');
    while (!error_ && !take(')')) {
      made.operands.push_back(expression(1));
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return made;
  }

  Expression selector(const std::string& name) {
    Expression made{.kind = Expression::Kind::Selector, .name = name};
    if (!name.empty()) made.matchers.push_back({.name = "__name__", .value = name});
    if (take('{'))
      while (!error_ && !take('}')) {
        made.matchers.push_back(matcher());
        if (!take(',')) {
          expect('}');
          break;
        }
      }
    if (take('[')) {
      made.range = duration();
      if (take(':')) fail("subqueries are not supported");
      expect(']');
    }
    if (take_word("offset")) made.offset = duration();
    return made;
  }

  LabelMatcher matcher() {
    LabelMatcher made{.name = peek_name(), .value = ""};
    if (made.name.empty()) fail("expected a label name");
    at_ += made.name.size();
    skip_space();
    auto rest = text_.substr(std::min(at_, text_.size()));
    if (rest.starts_with("=~"))
      made.is = LabelMatcher::Is::Like;
    else if (rest.starts_with("!~"))
      made.is = LabelMatcher::Is::Unlike;
    else if (rest.starts_with("!="))
      made.is = LabelMatcher::Is::Different;
    else if (!rest.starts_with("="))
      fail("expected a label matcher");
    at_ = std::min(text_.size(), at_ + (made.is == LabelMatcher::Is::Equal ? 1 : 2));
    made.value = quoted();
    if (made.is != LabelMatcher::Is::Like && made.is != LabelMatcher::Is::Unlike) return made;
    if (made.value.size() > kPatternMax) fail("the pattern is too long");
    try {
      made.pattern = std::make_shared<const std::regex>(made.value);
    } catch (const std::regex_error&) { fail("not a regular expression: " + made.value); }
    return made;
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  std::optional<Error> error_;
};

}  // namespace

bool LabelMatcher::matches(const SeriesLabels& labels) const {
  auto found = labels.find(name);
  const std::string actual = found == labels.end() ? "" : found->second;
  switch (is) {
    case Is::Equal: return actual == value;
    case Is::Different: return actual != value;
    case Is::Like: return std::regex_match(actual, *pattern);
    case Is::Unlike: return !std::regex_match(actual, *pattern);
  }
  unreachable();
}

Result<Expression> parse_promql(std::string_view text) {
  if (text.size() > 10000) return invalid("1:1: parse error: the query is too long");
  return Parser(text).parse();
}

}  // namespace reconciler
