#include "base/text.h"

#include <algorithm>

namespace reconciler {
namespace {

std::string_view without_spaces(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (;;) {
    const size_t end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == text.npos) return out;
    text.remove_prefix(end + 1);
  }
}

std::string regex_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view(R"(\.+*?()|[]{}^$)").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::multimap<std::string, std::string> trailers_of(std::string_view message) {
  while (!message.empty() && without_spaces(message.substr(message.rfind('\n') + 1)).empty())
    message = message.substr(0, std::min(message.rfind('\n'), message.size() - 1));
  std::multimap<std::string, std::string> out;
  while (!message.empty()) {
    const size_t start = message.rfind('\n') + 1;
    const std::string_view line = without_spaces(message.substr(start));
    if (line.empty()) return out;
    const size_t colon = line.find(':');
    if (colon != line.npos)
      out.emplace(lower_case(line.substr(0, colon)), std::string(without_spaces(line.substr(colon + 1))));
    message = start == 0 ? "" : message.substr(0, start - 1);
  }
  return {};  // that was the subject
}

bool fits_glob(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = pattern.npos, after_star = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after_star = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++after_star;  // the star takes one more
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

}  // namespace reconciler
