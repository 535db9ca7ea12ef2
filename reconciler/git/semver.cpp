#include "git/semver.h"

#include <algorithm>
#include <charconv>

#include "base/format.h"

namespace reconciler {
namespace {

constexpr size_t kTextMax = 256;

std::vector<std::string_view> parts_of(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  while (true) {
    size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + separator.size());
  }
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!is_number(text) || error != std::errc() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  return value;
}

bool is_identifier(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

bool is_wildcard(std::string_view text) { return text == "x" || text == "X" || text == "*"; }

/// A version of which the later numbers may be missing or wildcards.
struct Partial {
  Version version;
  int numbers = 0;  ///< how many of the three are given
};

std::optional<Partial> parse_partial(std::string_view text) {
  if (text.size() > kTextMax) return std::nullopt;
  if (text.starts_with('v') || text.starts_with('V')) text.remove_prefix(1);
  if (auto plus = text.find('+'); plus != text.npos) {
    for (auto identifier : parts_of(text.substr(plus + 1), "."))
      if (!is_identifier(identifier)) return std::nullopt;
    text = text.substr(0, plus);
  }
  Partial partial;
  auto dash = text.find('-');
  auto numbers = parts_of(text.substr(0, dash), ".");
  uint64_t* fields[] = {&partial.version.major, &partial.version.minor, &partial.version.patch};
  if (numbers.size() > 3) return std::nullopt;
  bool any_from_here = false;
  for (size_t i = 0; i < numbers.size(); ++i) {
    any_from_here = any_from_here || is_wildcard(numbers[i]);
    if (any_from_here && !is_wildcard(numbers[i])) return std::nullopt;
    if (any_from_here) continue;
    auto number = parse_number(numbers[i]);
    // The largest number has no successor, which the upper end of a range would need.
    if (!number || *number == UINT64_MAX) return std::nullopt;
    *fields[i] = *number;
    ++partial.numbers;
  }
  if (dash == text.npos) return partial;
  if (partial.numbers < 3) return std::nullopt;
  for (auto identifier : parts_of(text.substr(dash + 1), ".")) {
    if (!is_identifier(identifier) || (is_number(identifier) && identifier.size() > 1 && identifier[0] == '0'))
      return std::nullopt;
    partial.version.prerelease.emplace_back(identifier);
  }
  return partial;
}

/// Numbers before words, numbers by value, words by their letters.
std::strong_ordering compare_identifiers(const std::string& a, const std::string& b) {
  if (is_number(a) != is_number(b)) return is_number(a) ? std::strong_ordering::less : std::strong_ordering::greater;
  if (is_number(a) && a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

/// The first version after all that begin with these numbers: of (1, 2, 3) and 2 numbers it is 1.3.0.
Version next_after(const Version& version, int numbers) {
  if (numbers >= 3) return {.major = version.major, .minor = version.minor, .patch = version.patch + 1};
  if (numbers == 2) return {.major = version.major, .minor = version.minor + 1};
  return {.major = version.major + 1};
}

bool is_same_release(const Version& a, const Version& b) {
  return a.major == b.major && a.minor == b.minor && a.patch == b.patch;
}

/// The lowest of everything that is called 1.3.0, pre-releases too: the upper end of `<1.3.0-0`.
Version below_all(Version version) {
  version.prerelease = {"0"};
  return version;
}

}  // namespace

std::strong_ordering compare(const Version& a, const Version& b) {
  if (auto order = a.major <=> b.major; order != 0) return order;
  if (auto order = a.minor <=> b.minor; order != 0) return order;
  if (auto order = a.patch <=> b.patch; order != 0) return order;
  if (a.prerelease.empty() || b.prerelease.empty()) return a.prerelease.empty() <=> b.prerelease.empty();
  for (size_t i = 0; i < std::min(a.prerelease.size(), b.prerelease.size()); ++i)
    if (auto order = compare_identifiers(a.prerelease[i], b.prerelease[i]); order != 0) return order;
  return a.prerelease.size() <=> b.prerelease.size();
}

std::optional<Version> parse_version(std::string_view text) {
  auto partial = parse_partial(text);
  if (!partial || partial->numbers < 3) return std::nullopt;
  return partial->version;
}

bool VersionRange::add_part(std::string_view part, All& bounds) {
  constexpr std::string_view operators[] = {">=", "<=", "!=", "=", ">", "<", "~>", "~", "^"};
  std::string_view sign;
  for (auto candidate : operators)
    if (sign.empty() && part.starts_with(candidate)) sign = candidate;
  auto partial = parse_partial(trimmed(part.substr(sign.size())));
  if (!partial) return false;
  const Version& from = partial->version;
  const int numbers = partial->numbers;
  auto at_least = [&](const Version& version) { bounds.push_back({Relation::GreaterOrEqual, version}); };
  auto below = [&](const Version& version) { bounds.push_back({Relation::Less, below_all(version)}); };
  if (numbers == 0) {
    if (sign == "<" || sign == ">" || sign == "!=") below({});  // nothing is below, above or other than everything
    return true;
  }
  if (sign == ">=") {
    at_least(from);
  } else if (sign == ">") {
    if (numbers == 3) bounds.push_back({Relation::Greater, from});
    if (numbers < 3) at_least(next_after(from, numbers));
  } else if (sign == "<") {
    bounds.push_back({Relation::Less, from});
  } else if (sign == "<=") {
    if (numbers == 3) bounds.push_back({Relation::LessOrEqual, from});
    if (numbers < 3) below(next_after(from, numbers));
  } else if (sign == "!=") {
    if (numbers < 3) return false;
    bounds.push_back({Relation::NotEqual, from});
  } else if (sign == "~" || sign == "~>") {
    at_least(from);
    below(next_after(from, std::min(numbers, 2)));
  } else if (sign == "^") {
    at_least(from);
    const int leading = from.major > 0 || numbers == 1 ? 1 : from.minor > 0 || numbers == 2 ? 2 : 3;
    below(next_after(from, leading));
  } else if (numbers == 3) {
    bounds.push_back({Relation::Equal, from});
  } else {
    at_least(from);
    below(next_after(from, numbers));
  }
  return true;
}

Result<VersionRange> VersionRange::parse(std::string_view text) {
  if (text.size() > kTextMax) return invalid("version range: too long");
  VersionRange range;
  for (auto alternative : parts_of(text, "||")) {
    All bounds;
    std::string part;
    auto finish = [&] {
      bool good = part.empty() || add_part(part, bounds);
      part.clear();
      return good;
    };
    // Parts are parted by blanks or commas; a blank may also follow an operator (`>= 1.2`).
    bool good = true;
    for (char c : alternative) {
      const bool between = c == ' ' || c == ',';
      if (!between) part += c;
      const bool operator_alone = part.find_first_not_of("<>=!~^") == part.npos;
      if (between && (c == ',' || !operator_alone)) good = good && finish();
    }
    if (!good || !finish())
      return invalid(format("version range {}: not understood; write for example '>=1.2 <2' or '1.2.x'", text));
    range.either_.push_back(std::move(bounds));
  }
  return range;
}

bool VersionRange::holds(const Bound& bound, const Version& version) {
  auto order = compare(version, bound.version);
  switch (bound.relation) {
    case Relation::Less: return order < 0;
    case Relation::LessOrEqual: return order <= 0;
    case Relation::Equal: return order == 0;
    case Relation::NotEqual: return order != 0;
    case Relation::GreaterOrEqual: return order >= 0;
    case Relation::Greater: return order > 0;
  }
  unreachable();
}

bool VersionRange::contains(const Version& version) const {
  return std::any_of(either_.begin(), either_.end(), [&](const All& bounds) {
    // "-0" of an upper end is ours, not something that a person asked for.
    auto names_prerelease = [&](const Bound& bound) {
      return !bound.version.prerelease.empty() && bound.version.prerelease != std::vector<std::string>{"0"} &&
             is_same_release(bound.version, version);
    };
    if (!version.prerelease.empty() && std::none_of(bounds.begin(), bounds.end(), names_prerelease)) return false;
    return std::all_of(bounds.begin(), bounds.end(), [&](const Bound& bound) { return holds(bound, version); });
  });
}

}  // namespace reconciler
