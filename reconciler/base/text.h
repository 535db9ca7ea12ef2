// Small questions about text.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace reconciler {

/// ASCII letters in lower case.
std::string lower_case(std::string_view text);

/// Does `text` fit `pattern`, where `*` stands for anything?
bool fits_glob(std::string_view pattern, std::string_view text);

/// The parts of `text` between the separators, empty ones too: one more than there are separators.
std::vector<std::string_view> split(std::string_view text, char separator);

/// All of them in one text.
template <class Strings>
std::string joined(const Strings& strings, std::string_view between) {
  std::string out;
  for (const auto& each : strings) {
    if (!out.empty()) out += between;
    out += each;
  }
  return out;
}

/// A regular expression that fits `text` and nothing else, in the syntax that all proxies understand.
std::string regex_of(std::string_view text);

/// The trailers of a commit message, `Key: value` lines of its last paragraph when that is not the subject, with keys
/// in lower case. Other lines there are passed over; of several with one key all are given.
std::multimap<std::string, std::string> trailers_of(std::string_view message);

}  // namespace reconciler
