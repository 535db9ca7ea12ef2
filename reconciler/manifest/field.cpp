#include "manifest/field.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "base/format.h"
#include "rollout/typed_encoding.h"

namespace reconciler {
namespace {

size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t(0));
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

/// Names from a file may be of any length and hold anything; a message is one line that a person reads.
std::string one_line(std::string text) {
  constexpr size_t kTextMax = 200;
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  if (text.size() <= kTextMax) return text;
  size_t end = kTextMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // whole UTF-8 characters
  text.resize(end);
  return text + "...";
}

Problem at_field(const Findings& findings, std::string_view pointer, std::string_view message) {
  Position at = position_of(findings.places, pointer);
  std::string path = dotted(pointer);
  if (!path.empty()) path += message.starts_with("is ") || message.starts_with("without ") ? " " : ": ";
  return {findings.file, at.line, at.column, one_line(path + std::string(message))};
}

}  // namespace

void Findings::problem(std::string_view pointer, std::string_view message) {
  problems.push_back(at_field(*this, pointer, message));
}

void Findings::warning(std::string_view pointer, std::string_view message) {
  warnings.push_back(at_field(*this, pointer, message));
}

std::vector<Problem> Findings::take_problems() {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
  return std::move(problems);
}

std::string_view type_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null: return "null";
    case Json::value_t::object: return "a map";
    case Json::value_t::array: return "a list";
    case Json::value_t::string: return "a string";
    case Json::value_t::boolean: return "a boolean";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned: return "an integer";
    case Json::value_t::number_float: return "a number";
    case Json::value_t::binary:
    case Json::value_t::discarded: break;
  }
  unreachable();
}

const Json& Field::json() const {
  static const Json kAbsent;
  return value_ ? *value_ : kAbsent;
}

Field Field::operator[](std::string_view name) const {
  const Json* member = value_ ? find(*value_, {name}) : nullptr;
  if (member && member->is_null()) member = nullptr;
  return {member, findings_, member_pointer(pointer_, name)};
}

std::vector<Field> Field::items() const {
  std::vector<Field> out;
  if (!value_) return out;
  if (!value_->is_array()) {
    problem(format("must be a list, is {}", type_of(*value_)));
    return out;
  }
  for (size_t i = 0; i < value_->size(); ++i)
    out.push_back({&(*value_)[i], findings_, member_pointer(pointer_, std::to_string(i))});
  return out;
}

std::optional<int> Field::integer(int least, int most) const {
  if (!value_) return std::nullopt;
  if (!value_->is_number_integer()) {
    problem(format("must be an integer, is {}", type_of(*value_)));
    return std::nullopt;
  }
  auto value = integer_at(*value_, {});
  if (value && *value >= least && *value <= most) return int(*value);
  if (most == INT32_MAX && (value && *value < least))
    problem(format("must be at least {}, is {}", least, dump(*value_)));
  else
    problem(format("must be {} to {}, is {}", least, most, dump(*value_)));
  return std::nullopt;
}

std::optional<std::string> Field::text() const {
  if (!value_) return std::nullopt;
  if (value_->is_string()) return value_->get<std::string>();
  problem(format("must be a string, is {}{}", type_of(*value_), value_->is_primitive() ? "; write it in quotes" : ""));
  return std::nullopt;
}

std::optional<bool> Field::flag() const {
  if (!value_) return std::nullopt;
  if (value_->is_boolean()) return value_->get<bool>();
  problem(format("must be true or false, is {}", type_of(*value_)));
  return std::nullopt;
}

bool Field::is_map() const {
  if (!value_) return false;
  if (value_->is_object()) return true;
  problem(format("must be a map, is {}", type_of(*value_)));
  return false;
}

std::string suggestion(std::string_view name, const std::vector<std::string_view>& known) {
  std::string_view best;
  size_t least = std::min<size_t>(3, name.size() / 3 + 1);
  if (name.size() > 64) return "";
  for (std::string_view candidate : known) {
    size_t edits = edits_between(name, candidate);
    if (edits > least || (edits == least && !best.empty())) continue;
    best = candidate;
    least = edits;
  }
  return best.empty() ? "" : format(" (did you mean \"{}\"?)", best);
}

void Field::refuse_unknown(const std::vector<std::string_view>& known) const {
  if (!value_ || !value_->is_object()) return;
  for (auto member = value_->begin(); member != value_->end(); ++member) {
    if (std::find(known.begin(), known.end(), member.key()) != known.end()) continue;
    std::string pointer = member_pointer(pointer_, member.key());
    Position at = position_of(findings_->places, pointer);
    findings_->problems.push_back(
        {findings_->file, at.line, at.column,
         format("unknown field \"{}\"{}", one_line(dotted(pointer)), suggestion(member.key(), known))});
  }
}

}  // namespace reconciler
