#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace reconciler {

/// One argument of `format`, as text. Implicit on purpose.
class FormatArgument {
 public:
  FormatArgument(std::string_view text) : text_(text) {}           // NOLINT
  FormatArgument(const std::string& text) : text_(text) {}         // NOLINT
  FormatArgument(const char* text) : text_(text) {}                // NOLINT
  FormatArgument(char c) : text_(1, c) {}                          // NOLINT
  FormatArgument(bool value) : text_(value ? "true" : "false") {}  // NOLINT
  FormatArgument(double value);                                    // NOLINT
  template <std::integral T>
  FormatArgument(T value) : text_(std::to_string(value)) {}  // NOLINT

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// `pattern` with each `{}` replaced by the next argument. Every argument must have its `{}`.
std::string format_arguments(std::string_view pattern, std::initializer_list<FormatArgument> arguments);

template <class... Arguments>
std::string format(std::string_view pattern, const Arguments&... arguments) {
  return format_arguments(pattern, {FormatArgument(arguments)...});
}

}  // namespace reconciler

#if __has_include(<format>)
namespace reconciler {

// Where the library has std::format, a std::string among the arguments brings it into the same call. These fit better
// than that one, so that `format` is ours everywhere.
template <class... Arguments>
std::string format(const char* pattern, Arguments&&... arguments) {
  return format_arguments(pattern, {FormatArgument(arguments)...});
}

template <class... Arguments>
std::string format(std::string_view pattern, Arguments&&... arguments) {
  return format_arguments(pattern, {FormatArgument(arguments)...});
}

}  // namespace reconciler
#endif
