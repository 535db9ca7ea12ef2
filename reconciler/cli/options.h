// What a command takes, declared as a value, and what it was given, checked. An option is looked for on the command
// line, then as `SERIN_<NAME>` in the environment, then in the file of `--config`; the first one found counts.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace reconciler {

/// `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`; brackets are taken off.
struct SocketAddress {
  std::string host = {};
  uint16_t port = 0;
  bool operator==(const SocketAddress&) const = default;
};

/// Nothing when it is not `host:port`.
std::optional<SocketAddress> parse_socket_address(std::string_view text);

// The types of option values, with their bounds.
struct FlagOption {};  ///< given or not; in a file or variable: true or false
struct TextOption {};
struct IntegerOption {
  int64_t least = 0;
  int64_t most = INT64_MAX;
};
struct DurationOption {
  Duration least = 0ms;
  Duration most = 24h * 366;
};
struct AddressOption {};
struct ChoiceOption {
  std::vector<std::string> choices = {};
};

using OptionType = std::variant<FlagOption, TextOption, IntegerOption, DurationOption, AddressOption, ChoiceOption>;

enum class Presence { Optional, Required };

struct Option {
  std::string name = {};     ///< without dashes: `state-dir`
  std::string operand = {};  ///< how help calls the value: `DIR`; empty for a flag
  std::string help = {};
  OptionType type = TextOption{};
  std::string otherwise = {};  ///< the default, as it would be typed; empty for none
  Presence presence = Presence::Optional;
};

bool is_flag(const Option& option);

/// Nothing when it is not a whole number that fits.
std::optional<int64_t> parse_integer(std::string_view text);

enum class ConfigFile { NotTaken, Taken };

/// The syntax of one command.
struct Syntax {
  std::string usage = {};  ///< `serin status [NAME]`
  std::string summary = {};
  std::vector<Option> options = {};
  size_t operands_least = 0;
  size_t operands_most = 0;
  ConfigFile config_file = ConfigFile::NotTaken;  ///< Taken: `--config FILE` is understood
};

/// What a command was given. Every value has been checked, so reading one cannot fail; asking for a name that the
/// syntax does not have is a bug.
class Options {
 public:
  Options(Syntax syntax, std::map<std::string, std::string> values, std::vector<std::string> operands);

  bool has(std::string_view name) const;               ///< given, or it has a default
  bool flag(std::string_view name) const;              ///< of a FlagOption
  std::string text(std::string_view name) const;       ///< as typed; empty when absent
  int64_t integer(std::string_view name) const;        ///< needs has()
  Duration duration(std::string_view name) const;      ///< needs has()
  SocketAddress address(std::string_view name) const;  ///< needs has()
  const std::vector<std::string>& operands() const { return operands_; }

 private:
  const Option& option(std::string_view name) const;

  Syntax syntax_;
  std::map<std::string, std::string> values_;
  std::vector<std::string> operands_;
};

/// `environment`: lines of `NAME=value`. `Invalid`: one line for the person who typed it.
Result<Options> parse_options(const Syntax& syntax, const std::vector<std::string>& arguments,
                              const std::vector<std::string>& environment);

/// Reads the options and does the work with them; prints help when asked to, and wrong usage is exit code 2.
int with_options(const Syntax& syntax, const std::vector<std::string>& arguments,
                 const std::function<int(const Options&)>& work);

/// The options of a syntax, `--config` among them where it is taken.
std::vector<Option> all_options(const Syntax& syntax);

/// What `serin COMMAND --help` prints.
std::string help_text(const Syntax& syntax);

/// Prints one line on standard error and returns the exit code of wrong usage, 2.
int usage_error(std::string_view message);

/// Prints one line on standard error and returns the exit code of failed work, 1.
int failed(const Error& error);

}  // namespace reconciler
