#include "manifest/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/format.h"

namespace reconciler {
namespace {

template <size_t N>
bool one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

constexpr std::array<std::string_view, 11> kTrue{"y",    "Y",    "yes", "Yes", "YES", "true",
                                                 "True", "TRUE", "on",  "On",  "ON"};
constexpr std::array<std::string_view, 11> kFalse{"n",     "N",     "no",  "No",  "NO", "false",
                                                  "False", "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 5> kNull{"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 12> kNoNumber{".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
                                                     "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// 0x1F, 0o17, 0b11, 0777, 12; with a sign. Nothing when it is none, or does not fit 64 bits.
std::optional<Json> parse_integer(std::string_view text) {
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    char letter = char(text[1] | 0x20);
    base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 8;
    text.remove_prefix(is_digit(text[1]) ? 1 : 2);
  }
  if (text.empty() || text[0] == '-') return std::nullopt;
  uint64_t value = 0;
  auto end = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  constexpr uint64_t kLowest = uint64_t(1) << 63;
  if (!negative && value <= uint64_t(INT64_MAX)) return Json(int64_t(value));
  if (!negative) return Json(value);
  if (value > kLowest) return std::nullopt;
  return Json(value == kLowest ? INT64_MIN : -int64_t(value));
}

/// [-+]? (.digits | digits [.digits]) ([eE][-+]?digits)?
bool looks_like_float(std::string_view text) {
  auto digits = [&] {
    size_t n = 0;
    while (n < text.size() && is_digit(text[n])) ++n;
    text.remove_prefix(n);
    return n;
  };
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  size_t whole = digits(), fraction = 0;
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    fraction = digits();
  }
  if (whole + fraction == 0) return false;
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return digits() > 0 && text.empty();
}

std::optional<Json> parse_float(std::string_view text) {
  if (!looks_like_float(text)) return std::nullopt;
  if (text[0] == '+') text.remove_prefix(1);
  double value = 0;
  auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || !std::isfinite(value)) return std::nullopt;
  // A whole number is written without a point on its way to Kubernetes, and is an integer there.
  constexpr double kExact = 9007199254740992.0;
  if (value == std::floor(value) && std::fabs(value) <= kExact) return Json(int64_t(value));
  return Json(value);
}

}  // namespace

Result<Json> resolve_plain(std::string_view text) {
  if (one_of(text, kNull)) return Json();
  if (one_of(text, kTrue)) return Json(true);
  if (one_of(text, kFalse)) return Json(false);
  if (one_of(text, kNoNumber)) return invalid(format("{} cannot be written in JSON", text));
  if (is_digit(text[0]) || text[0] == '-' || text[0] == '+') {
    std::string digits(text);
    std::erase(digits, '_');
    if (auto value = parse_integer(digits)) return *value;
    if (auto value = parse_float(digits)) return *value;
  }
  if (text[0] == '.')
    if (auto value = parse_float(text)) return *value;
  return Json(text);
}

bool is_plain_string(std::string_view text) {
  // Narrow on purpose: letters, digits and a few marks, which no reader takes for anything else.
  auto safe = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' ||
           c == '/' || c == ':' || c == '@' || c == '+' || c == ' ';
  };
  if (text.empty() || !std::all_of(text.begin(), text.end(), safe)) return false;
  if (!is_digit(text[0]) && !(std::isalpha(static_cast<unsigned char>(text[0])))) return false;
  if (text.back() == ':' || text.back() == ' ' || text.find(": ") != text.npos) return false;
  // `1:30` is a number of base sixty, and `2026-11-20` a date, for some readers of YAML 1.1.
  bool numeric = text.find_first_not_of("0123456789:._-+eETZxXoObB") == text.npos;
  if (numeric && text.find_first_of(":-.") != text.npos && is_digit(text[0])) return false;
  // Some readers know infinity, ours keeps a number that is too large as text.
  if (looks_like_float(text)) return false;
  auto value = resolve_plain(text);
  return value && value->is_string();
}

}  // namespace reconciler
