#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/format.h"
#include "base/result.h"

namespace reconciler {

/// `Off` lets nothing through.
enum class LogLevel { Debug, Info, Warn, Error, Off };
enum class LogFormat { Text, Json };

struct LogField {
  std::string_view key;
  FormatArgument value;
};

/// Sets level and form of the process-wide log on standard error. Called once, by `cli/`.
void set_up_log(LogLevel level, LogFormat format);

/// One event, one line: `message key=value key="two words"`, or one JSON object. Credentials in URLs are masked here.
/// info: a decision that changed something; warn: a port call that failed; error: a person must act.
void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

inline void log_debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::Debug, message, fields);
}
inline void log_info(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::Info, message, fields);
}
inline void log_warn(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::Warn, message, fields);
}
inline void log_error(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::Error, message, fields);
}

/// `text` without what must never be shown: user info of URLs, Authorization values.
std::string redact(std::string_view text);

}  // namespace reconciler
