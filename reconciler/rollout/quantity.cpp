// Quantities have no bound on their digits, so they are handled as decimal digit strings: value = digits * 10^exponent.
#include "rollout/quantity.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace reconciler {
namespace {

constexpr size_t kDigitsMax = 64;
constexpr int kNano = -9;

enum class Form { DecimalSuffix, DecimalExponent, BinarySuffix };

struct Suffix {
  std::string_view text;
  int power;  ///< of 10, or of 1024 for the binary ones
};
constexpr std::array<Suffix, 10> kDecimal{
    {{"n", -9}, {"u", -6}, {"m", -3}, {"", 0}, {"k", 3}, {"M", 6}, {"G", 9}, {"T", 12}, {"P", 15}, {"E", 18}}};
constexpr std::array<Suffix, 7> kBinary{{{"", 0}, {"Ki", 1}, {"Mi", 2}, {"Gi", 3}, {"Ti", 4}, {"Pi", 5}, {"Ei", 6}}};
/// Binary quantities are capped at the largest 64-bit integer.
constexpr std::string_view kBinaryMax = "9223372036854775807";

void strip_leading_zeros(std::string& digits) {
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
}

void multiply(std::string& digits, int factor) {
  int carry = 0;
  for (size_t i = digits.size(); i-- > 0;) {
    int product = (digits[i] - '0') * factor + carry;
    digits[i] = char('0' + product % 10);
    carry = product / 10;
  }
  for (; carry; carry /= 10) digits.insert(digits.begin(), char('0' + carry % 10));
}

/// Divides when nothing is left over.
bool divide_evenly(std::string& digits, int divisor) {
  std::string quotient = digits;
  int rest = 0;
  for (char& digit : quotient) {
    int value = rest * 10 + (digit - '0');
    digit = char('0' + value / divisor);
    rest = value % divisor;
  }
  if (rest) return false;
  strip_leading_zeros(quotient);
  digits = quotient;
  return true;
}

void add_one(std::string& digits) {
  for (size_t i = digits.size(); i-- > 0;) {
    if (digits[i] != '9') {
      ++digits[i];
      return;
    }
    digits[i] = '0';
  }
  digits.insert(digits.begin(), '1');
}

/// What is smaller than a billionth is rounded away from zero.
void round_up_to_nano(std::string& digits, int& exponent) {
  if (exponent >= kNano) return;
  size_t cut = size_t(kNano - exponent);
  if (cut >= digits.size()) {
    digits = "1";
  } else {
    bool rest = digits.find_first_not_of('0', digits.size() - cut) != digits.npos;
    digits.resize(digits.size() - cut);
    if (rest) add_one(digits);
  }
  exponent = kNano;
}

/// Moves zeros between the digits and the exponent, so that the exponent is the largest multiple of three.
void normalise(std::string& digits, int& exponent) {
  while (digits.size() > 1 && digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  while (exponent % 3 != 0) {
    digits += '0';
    --exponent;
  }
}

struct Number {
  bool negative = false;
  std::string digits;
  int exponent = 0;
  Form form = Form::DecimalSuffix;
};

/// `e3`, `E-3` as the exponent they stand for.
std::optional<int> parse_exponent(std::string_view text) {
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  text.remove_prefix(1);
  if (text[0] == '+') text.remove_prefix(1);
  int value = 0;
  auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || value < -100 || value > 100) return std::nullopt;
  return value;
}

bool apply_suffix(Number& number, std::string_view suffix) {
  for (const Suffix& s : kDecimal)
    if (s.text == suffix) {
      number.exponent += s.power;
      return true;
    }
  for (const Suffix& s : kBinary)
    if (s.text == suffix) {
      number.form = Form::BinarySuffix;
      for (int i = 0; i < s.power; ++i) multiply(number.digits, 1024);
      return true;
    }
  auto exponent = parse_exponent(suffix);
  if (!exponent) return false;
  number.form = Form::DecimalExponent;
  number.exponent += *exponent;
  return true;
}

std::optional<Number> parse(std::string_view text) {
  Number number;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    number.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  size_t length = std::min(text.find_first_not_of("0123456789."), text.size());
  std::string_view mantissa = text.substr(0, length);
  size_t point = mantissa.find('.');
  number.digits = mantissa.substr(0, point);
  if (point != mantissa.npos) {
    std::string_view fraction = mantissa.substr(point + 1);
    if (fraction.find('.') != fraction.npos) return std::nullopt;
    number.digits += fraction;
    number.exponent = -int(fraction.size());
  }
  if (number.digits.empty() || number.digits.size() > kDigitsMax) return std::nullopt;
  if (!apply_suffix(number, text.substr(length))) return std::nullopt;
  strip_leading_zeros(number.digits);
  return number;
}

/// `1536Mi`; nothing when the value is below 1024 or no integer, and is written as a decimal then.
std::optional<std::string> binary_text(Number number) {
  if (number.exponent < 0) return std::nullopt;
  number.digits.append(size_t(number.exponent), '0');
  auto larger = [](std::string_view a, std::string_view b) {
    return a.size() != b.size() ? a.size() > b.size() : a > b;
  };
  if (larger("1024", number.digits)) return std::nullopt;
  if (larger(number.digits, kBinaryMax)) number.digits = kBinaryMax;
  size_t power = 0;
  while (power + 1 < kBinary.size() && divide_evenly(number.digits, 1024)) ++power;
  return number.digits + std::string(kBinary[power].text);
}

std::optional<std::string> decimal_text(const Number& number) {
  if (number.form == Form::DecimalExponent)
    return number.digits + (number.exponent ? "e" + std::to_string(number.exponent) : "");
  for (const Suffix& s : kDecimal)
    if (s.power == number.exponent) return number.digits + std::string(s.text);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> canonical_quantity(std::string_view text) {
  auto number = parse(text);
  if (!number) return std::nullopt;
  if (number->digits.empty()) return "0";
  round_up_to_nano(number->digits, number->exponent);
  normalise(number->digits, number->exponent);
  std::optional<std::string> value;
  if (number->form == Form::BinarySuffix) value = binary_text(*number);
  if (!value) value = decimal_text(*number);
  if (value && number->negative) value->insert(value->begin(), '-');
  return value;
}

}  // namespace reconciler
