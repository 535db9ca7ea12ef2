#include "base/format.h"

#include <charconv>

#include "base/check.h"

namespace reconciler {

FormatArgument::FormatArgument(double value) {
  char buffer[32];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  text_.assign(buffer, end.ptr);
}

std::string format_arguments(std::string_view pattern, std::initializer_list<FormatArgument> arguments) {
  std::string out;
  auto next = arguments.begin();
  for (size_t at = 0;;) {
    size_t hole = pattern.find("{}", at);
    out += pattern.substr(at, hole - at);
    if (hole == std::string_view::npos) break;
    CHECK(next != arguments.end());
    out += (next++)->text();
    at = hole + 2;
  }
  CHECK(next == arguments.end());
  return out;
}

}  // namespace reconciler
