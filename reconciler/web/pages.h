// What the endpoints answer, as a function of what the daemon published last.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "daemon/daemon.h"
#include "web/measurements.h"
#include "web/reachability.h"

namespace reconciler {

/// What a handler can know.
struct Published {
  std::shared_ptr<const Report> report;  ///< null before the first
  Duration since_beat{0};                ///< since the loop turned last
  std::string version;
  std::string repo;  ///< labels, see MeasuredGit::Names
  std::string ref;
  ReachabilityFacts health;
  /// Since the repository was polled well; nothing before the first time. Too long: `polls_due`.
  std::optional<Duration> since_good_poll;
  Duration polls_due = 180s;
  Duration status_lag{0};  ///< for how long something recorded has waited to be pushed
  const Measurements* measurements = nullptr;
};

struct Page {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// `/healthz`, `/livez`: the loop turns. `/readyz`: the caches are filled, the API server answers, the repository was
/// polled lately and records can be made. `/metrics`, `/status.json`. Nothing for other paths.
std::optional<Page> page_at(std::string_view path, const Published& published);

/// Does the page show the report? Then a fresh one is worth waiting for.
bool shows_report(std::string_view path);

/// The report and what was counted, in Prometheus' text format.
std::string metrics_text(const Published& published);

Json report_json(const Report& report);

}  // namespace reconciler
