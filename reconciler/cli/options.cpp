#include "cli/options.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <iostream>

#include "base/format.h"
#include "base/log.h"

namespace reconciler {
namespace {

std::vector<std::string> whole_environment() {
  std::vector<std::string> lines;
  for (char** line = environ; *line != nullptr; ++line) lines.emplace_back(*line);
  return lines;
}

bool help_wanted(const std::vector<std::string>& arguments) {
  auto end = std::find(arguments.begin(), arguments.end(), "--");
  return std::any_of(arguments.begin(), end, [](const std::string& word) { return word == "--help" || word == "-h"; });
}

Option config_option() {
  return {.name = "config", .operand = "FILE", .help = "read options from this file, a line `name = value` each"};
}

}  // namespace

std::vector<Option> all_options(const Syntax& syntax) {
  std::vector<Option> options = syntax.options;
  if (syntax.config_file == ConfigFile::Taken) options.push_back(config_option());
  return options;
}

bool is_flag(const Option& option) { return std::holds_alternative<FlagOption>(option.type); }

std::optional<int64_t> parse_integer(std::string_view text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<SocketAddress> parse_socket_address(std::string_view text) {
  size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  std::optional<int64_t> port = parse_integer(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) return std::nullopt;
  bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of("[]/ @") != host.npos) return std::nullopt;
  if (!bracketed && host.find(':') != host.npos) return std::nullopt;
  return SocketAddress{.host = std::string(host), .port = static_cast<uint16_t>(*port)};
}

Options::Options(Syntax syntax, std::map<std::string, std::string> values, std::vector<std::string> operands)
    : syntax_(std::move(syntax)), values_(std::move(values)), operands_(std::move(operands)) {}

const Option& Options::option(std::string_view name) const {
  for (const Option& option : syntax_.options)
    if (option.name == name) return option;
  unreachable();
}

bool Options::has(std::string_view name) const { return values_.contains(option(name).name); }

bool Options::flag(std::string_view name) const {
  CHECK(is_flag(option(name)));
  return text(name) == "true";
}

std::string Options::text(std::string_view name) const {
  auto value = values_.find(option(name).name);
  return value == values_.end() ? "" : value->second;
}

int64_t Options::integer(std::string_view name) const {
  std::optional<int64_t> value = parse_integer(text(name));
  CHECK(value);
  return *value;
}

Duration Options::duration(std::string_view name) const {
  std::optional<Duration> value = parse_duration(text(name));
  CHECK(value);
  return *value;
}

SocketAddress Options::address(std::string_view name) const {
  std::optional<SocketAddress> value = parse_socket_address(text(name));
  CHECK(value);
  return *value;
}

int with_options(const Syntax& syntax, const std::vector<std::string>& arguments,
                 const std::function<int(const Options&)>& work) {
  if (help_wanted(arguments)) {
    std::cout << help_text(syntax);
    return 0;
  }
  Result<Options> options = parse_options(syntax, arguments, whole_environment());
  if (!options) return usage_error(options.error().message);
  return work(*options);
}

std::string help_text(const Syntax& syntax) {
  std::string out = format("usage: {}\n\n{}\n", syntax.usage, syntax.summary);
  std::vector<Option> options = all_options(syntax);
  options.push_back({.name = "help", .help = "print this", .type = FlagOption{}});
  auto left = [](const Option& option) {
    return "  --" + option.name + (option.operand.empty() ? "" : " " + option.operand);
  };
  size_t width = 0;
  for (const Option& option : options) width = std::max(width, left(option).size());
  out += "\noptions:\n";
  for (const Option& option : options) {
    std::string line = left(option);
    line += std::string(width + 2 - line.size(), ' ') + option.help;
    if (!option.otherwise.empty()) line += format(" (default: {})", option.otherwise);
    if (option.presence == Presence::Required) line += " (required)";
    out += line + "\n";
  }
  if (syntax.config_file == ConfigFile::Taken)
    out += "\nEach option may also stand in the file, or in the environment: --state-dir is SERIN_STATE_DIR.\n";
  return out;
}

int usage_error(std::string_view message) {
  std::cerr << "serin: " << redact(message) << "\n";
  return 2;
}

int failed(const Error& error) {
  std::cerr << "serin: " << redact(error.message) << "\n";
  return 1;
}

}  // namespace reconciler
