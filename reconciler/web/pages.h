// What the endpoints answer, as a function of what the daemon published last.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "daemon/daemon.h"

namespace reconciler {

/// What a handler can know.
struct Published {
  std::shared_ptr<const Report> report;  ///< null before the first
  Duration since_beat{0};                ///< since the loop turned last
  std::string version;
};

struct Page {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// `/healthz`, `/livez`: the loop turns. `/readyz`: it knows what Git asks for and what the cluster looks like.
/// `/metrics`, `/status.json`. Nothing for other paths.
std::optional<Page> page_at(std::string_view path, const Published& published);

/// The report in Prometheus' text format.
std::string metrics_text(const Published& published);

Json report_json(const Report& report);

}  // namespace reconciler
