#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

#include "base/json.h"
#include "base/time.h"

namespace reconciler {
namespace {

std::atomic<bool> as_json = false;

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug: return spdlog::level::debug;
    case LogLevel::Info: return spdlog::level::info;
    case LogLevel::Warn: return spdlog::level::warn;
    case LogLevel::Error: return spdlog::level::err;
    case LogLevel::Off: return spdlog::level::off;
  }
  unreachable();
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug: return "debug";
    case LogLevel::Info: return "info";
    case LogLevel::Warn: return "warn";
    case LogLevel::Error: return "error";
    case LogLevel::Off: return "off";
  }
  unreachable();
}

/// As it is when it is one word, else quoted, so that a line stays one line and can be taken apart again.
std::string quoted(const std::string& text) {
  bool plain = !text.empty() && text.find_first_of(" \t\r\n\"=\\") == text.npos;
  return plain ? text : dump(text);
}

}  // namespace

void set_up_log(LogLevel level, LogFormat format) {
  auto logger = std::make_shared<spdlog::logger>("serin", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  as_json = format == LogFormat::Json;
  logger->set_level(level_of(level));
  logger->flush_on(spdlog::level::debug);
  logger->set_pattern(as_json ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
}

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!spdlog::should_log(level_of(level))) return;
  if (as_json) {
    Json line = Json::object();
    for (const LogField& field : fields) line[std::string(field.key)] = redact(field.value.text());
    line["time"] = format_time(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
    line["level"] = name_of(level);
    line["message"] = redact(message);
    spdlog::log(level_of(level), "{}", dump(line));
    return;
  }
  std::string line = redact(message);
  for (const LogField& field : fields) line += " " + std::string(field.key) + "=" + quoted(redact(field.value.text()));
  spdlog::log(level_of(level), "{}", line);
}

std::string redact(std::string_view text) {
  std::string out(text);
  for (size_t at = 0; (at = out.find("://", at)) != out.npos;) {
    at += 3;
    size_t end = std::min(out.find_first_of("/ \t\r\n\"'?#", at), out.size());
    size_t user_info = out.rfind('@', end);
    if (user_info != out.npos && user_info >= at && user_info < end) out.replace(at, user_info - at, "***");
  }
  for (std::string_view scheme : {"Bearer ", "Basic ", "bearer ", "basic "}) {
    for (size_t at = 0; (at = out.find(scheme, at)) != out.npos;) {
      at += scheme.size();
      size_t end = std::min(out.find_first_of(" \t\r\n\"',", at), out.size());
      if (end - at >= 8) out.replace(at, end - at, "***");
    }
  }
  return out;
}

}  // namespace reconciler
