// Reading the command line, the environment and the file of `--config`; checking what was read.
#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <fstream>

#include "base/format.h"
#include "cli/options.h"

namespace reconciler {
namespace {

namespace po = boost::program_options;

template <class... Cases>
struct Visit : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Visit(Cases...) -> Visit<Cases...>;

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : std::string(between)) + word;
  return out;
}

/// What is wrong with `text` as a value of this option; empty when nothing is.
std::string complaint(const Option& option, const std::string& text) {
  return std::visit(
      Visit{
          [&](const FlagOption&) -> std::string {
            return text == "true" || text == "false" ? "" : format("must be true or false, got '{}'", text);
          },
          [&](const TextOption&) -> std::string { return text.empty() ? "must not be empty" : ""; },
          [&](const IntegerOption& bounds) -> std::string {
            std::optional<int64_t> value = parse_integer(text);
            if (!value) return format("must be a whole number, got '{}'", text);
            if (*value >= bounds.least && *value <= bounds.most) return "";
            if (bounds.most == INT64_MAX) return format("must be at least {}, got {}", bounds.least, text);
            return format("must be {} to {}, got {}", bounds.least, bounds.most, text);
          },
          [&](const DurationOption& bounds) -> std::string {
            std::optional<Duration> value = parse_duration(text);
            if (!value) return format("must be a duration such as 500ms, 60s, 5m or 1h, got '{}'", text);
            if (*value >= bounds.least && *value <= bounds.most) return "";
            return format("must be {} to {}, got {}", format_duration(bounds.least), format_duration(bounds.most),
                          text);
          },
          [&](const AddressOption&) -> std::string {
            return parse_socket_address(text) ? "" : format("must be host:port such as 127.0.0.1:8080, got '{}'", text);
          },
          [&](const ChoiceOption& choice) -> std::string {
            if (std::count(choice.choices.begin(), choice.choices.end(), text) > 0) return "";
            return format("must be {}, got '{}'", joined(choice.choices, " or "), text);
          },
      },
      option.type);
}

/// On the command line a flag has no value; in a file or variable it has one.
enum class Source { CommandLine, Text };

po::options_description description_of(const std::vector<Option>& options, Source source) {
  po::options_description description;
  for (const Option& option : options) {
    auto* value = po::value<std::string>();
    if (is_flag(option) && source == Source::CommandLine) value->zero_tokens()->implicit_value("true");
    description.add_options()(option.name.c_str(), value, "");
  }
  return description;
}

Error unknown_option(const Syntax& syntax, std::string_view option) {
  std::string command = syntax.usage.substr(0, syntax.usage.find(' ', syntax.usage.find(' ') + 1));
  return invalid(format("unknown option {} (see: {} --help)", option, command));
}

/// The texts of Boost begin with capitals and speak of its own matters; these are ours.
Error usage_of(const Syntax& syntax, const po::error& error) {
  if (auto* unknown = dynamic_cast<const po::unknown_option*>(&error)) {
    std::string name = unknown->get_option_name();
    return unknown_option(syntax, "--" + name.substr(std::min(name.find_first_not_of('-'), name.size())));
  }
  if (auto* named = dynamic_cast<const po::error_with_option_name*>(&error)) {
    std::string name = named->get_option_name();
    name = "--" + name.substr(std::min(name.find_first_not_of('-'), name.size()));
    if (dynamic_cast<const po::multiple_occurrences*>(&error)) return invalid(name + " is given twice");
    if (auto* syntax_error = dynamic_cast<const po::invalid_command_line_syntax*>(&error);
        syntax_error && syntax_error->kind() == po::invalid_syntax::extra_parameter)
      return invalid(name + " takes no value");
    return invalid(name + " needs a value");
  }
  return invalid(error.what());
}

struct Given {
  std::map<std::string, std::string> values;
  std::vector<std::string> operands;
};

/// Takes `--flag=true` and `--flag=false` out of the words: Boost knows flags without a value only.
std::map<std::string, std::string> take_flag_values(const std::vector<Option>& options,
                                                    std::vector<std::string>& words) {
  std::map<std::string, std::string> values;
  const auto end = std::find(words.begin(), words.end(), "--");
  auto is_taken = [&](const std::string& word) {
    for (const Option& option : options)
      for (const char* value : {"true", "false"})
        if (is_flag(option) && word == "--" + option.name + "=" + value)
          return values.emplace(option.name, value).second;
    return false;
  };
  words.erase(std::remove_if(words.begin(), end, is_taken), end);
  return values;
}

Result<Given> read_command_line(const Syntax& syntax, const std::vector<Option>& options,
                                std::vector<std::string> arguments) {
  using namespace po::command_line_style;
  try {
    Given given;
    auto flags = take_flag_values(options, arguments);
    po::options_description description = description_of(options, Source::CommandLine);
    po::parsed_options parsed = po::command_line_parser(arguments)
                                    .options(description)
                                    .style(allow_long | long_allow_adjacent | long_allow_next)
                                    .run();
    po::variables_map map;
    po::store(parsed, map);
    for (const auto& [name, value] : map) given.values[name] = value.as<std::string>();
    for (const auto& [name, value] : flags)
      if (!given.values.emplace(name, value).second) return invalid(format("--{} is given twice", name));
    for (const po::option& option : parsed.options)
      if (option.position_key >= 0) given.operands.push_back(option.value.at(0));
    // There are no short options; a word that looks like one is an operand only after `--`.
    if (std::count(arguments.begin(), arguments.end(), "--") == 0)
      for (const std::string& operand : given.operands)
        if (operand.starts_with('-') && operand != "-") return unknown_option(syntax, operand);
    return given;
  } catch (const po::error& error) { return usage_of(syntax, error); }
}

std::string variable_of(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return 'a' <= c && c <= 'z' ? c - 'a' + 'A' : c; });
  return "SERIN_" + name;
}

/// Variables of options that this command does not have belong to other commands; an empty one counts as not set.
void add_environment(Given& given, const std::vector<Option>& options, const std::vector<std::string>& environment) {
  for (const Option& option : options) {
    std::string prefix = variable_of(option.name) + "=";
    for (const std::string& line : environment)
      if (line.starts_with(prefix) && line.size() > prefix.size())
        given.values.emplace(option.name, line.substr(prefix.size()));
  }
}

Result<void> add_config_file(Given& given, const std::vector<Option>& options) {
  const std::string& path = given.values.at("config");
  std::ifstream file(path);
  if (!file) return invalid(format("--config {}: cannot be read", path));
  try {
    po::options_description description = description_of(options, Source::Text);
    po::variables_map map;
    po::store(po::parse_config_file(file, description), map);
    for (const auto& [name, value] : map) given.values.emplace(name, value.as<std::string>());
    if (file.bad()) return invalid(format("--config {}: cannot be read", path));
    return {};
  } catch (const po::unknown_option& error) {
    return invalid(format("{}: unknown option '{}'", path, error.get_option_name()));
  } catch (const po::multiple_occurrences& error) {
    return invalid(format("{}: an option is given twice", path));
  } catch (const po::error& error) { return invalid(format("{}: {}", path, error.what())); }
}

Result<void> check_values(const std::vector<Option>& options, std::map<std::string, std::string>& values) {
  for (const Option& option : options) {
    if (!option.otherwise.empty()) values.emplace(option.name, option.otherwise);
    auto value = values.find(option.name);
    if (value == values.end()) {
      if (option.presence == Presence::Optional) continue;
      return invalid(format("--{} {} is required", option.name, option.operand));
    }
    std::string wrong = complaint(option, value->second);
    if (!wrong.empty()) return invalid(format("--{} {}", option.name, wrong));
  }
  return {};
}

}  // namespace

Result<Options> parse_options(const Syntax& syntax, const std::vector<std::string>& arguments,
                              const std::vector<std::string>& environment) {
  std::vector<Option> options = all_options(syntax);
  Result<Given> given = read_command_line(syntax, options, arguments);
  if (!given) return given.error();
  if (given->operands.size() < syntax.operands_least)
    return invalid(format("something is missing; usage: {}", syntax.usage));
  if (given->operands.size() > syntax.operands_most)
    return invalid(format("'{}' is too much; usage: {}", given->operands[syntax.operands_most], syntax.usage));
  add_environment(*given, options, environment);
  if (given->values.contains("config") && syntax.config_file == ConfigFile::Taken)
    if (Result<void> read = add_config_file(*given, syntax.options); !read) return read.error();
  if (Result<void> checked = check_values(options, given->values); !checked) return checked.error();
  return Options(syntax, std::move(given->values), std::move(given->operands));
}

}  // namespace reconciler
