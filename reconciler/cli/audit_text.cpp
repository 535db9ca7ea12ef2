#include "cli/audit_text.h"

#include <algorithm>
#include <cstdio>

#include "base/format.h"
#include "cli/table.h"
#include "rollout/image.h"

namespace reconciler {
namespace {

std::optional<Duration> lead_time(const Deployment& d) {
  const bool was_promoted = d.outcome == Outcome::Promoted || d.outcome == Outcome::Reverted;
  if (!was_promoted || !d.ended || !d.committed) return std::nullopt;
  return std::max<Duration>(0ms, *d.ended - *d.committed);
}

std::optional<Duration> restore_time(const Deployment& d) {
  if (!d.failed() || !d.restored) return std::nullopt;
  return *d.restored - d.exposed.value_or(d.began);
}

std::string words(std::optional<Duration> duration) {
  return duration ? format_duration(std::chrono::floor<std::chrono::seconds>(*duration)) : "-";
}

std::string seconds(std::optional<Duration> duration) {
  return duration ? format("{}", std::chrono::floor<std::chrono::seconds>(*duration).count()) : "";
}

std::string time_or_nothing(std::optional<TimePoint> time) { return time ? format_time(*time) : ""; }

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// One digit behind the point.
std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string figures_text(const DeliveryFigures& figures) {
  std::string out = format("deployments           {}", figures.deployments);
  if (figures.per_day) out += format(", {} a day", decimal(*figures.per_day));
  out += format("\nlead time             {} (median, from commit to promotion)\n", words(figures.lead_time));
  out += format("change failure rate   {}\n",
                figures.change_failure_rate ? decimal(*figures.change_failure_rate * 100) + " %" : "-");
  out += format("time to restore       {} (median, from first traffic to all of it back)\n",
                words(figures.time_to_restore));
  return out;
}

std::string csv_cell(std::string text) {
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) text.insert(0, "'");
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string out = "\"";
  for (char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string out;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) out += ",";
    out += csv_cell(cell);
  }
  return out + "\r\n";
}

}  // namespace

std::string audit_text(const Audit& audit) {
  if (audit.deployments.empty()) return "no deployments\n";
  std::vector<std::vector<std::string>> rows = {
      {"BEGAN", "ROLLOUT", "FROM", "TO", "OUTCOME", "LEAD TIME", "RESTORED IN", "BY", "APPROVED BY"}};
  const bool several_clusters = std::any_of(audit.deployments.begin(), audit.deployments.end(), [&](const auto& d) {
    return d.cluster != audit.deployments.front().cluster;
  });
  for (const Deployment& d : audit.deployments)
    rows.push_back({format_time(d.began), (several_clusters ? d.cluster + " " : "") + d.rollout.text(),
                    d.from.empty() ? "-" : tag_of(d.from), tag_of(d.image), std::string(to_text(d.outcome)),
                    words(lead_time(d)), words(restore_time(d)), d.author.empty() ? "-" : d.author,
                    d.approved_by.empty() ? "-" : joined(d.approved_by)});
  return table_text(rows) + "\n" + figures_text(audit.figures);
}

std::string audit_csv(const Audit& audit) {
  std::string out = csv_line({"cluster", "namespace", "name", "revision", "image", "from", "commit", "author",
                              "merged_by", "committed", "began", "exposed", "ended", "outcome", "lead_time_seconds",
                              "time_to_restore_seconds", "approved_by", "why"});
  for (const Deployment& d : audit.deployments)
    out += csv_line({d.cluster, d.rollout.ns, d.rollout.name, d.revision, d.image, d.from, d.commit, d.author,
                     d.merged_by, time_or_nothing(d.committed), format_time(d.began), time_or_nothing(d.exposed),
                     time_or_nothing(d.ended), std::string(to_text(d.outcome)), seconds(lead_time(d)),
                     seconds(restore_time(d)), joined(d.approved_by), d.why});
  return out;
}

Json audit_json(const Audit& audit) {
  Json deployments = Json::array();
  for (const Deployment& d : audit.deployments) {
    Json entry = {{"cluster", d.cluster},
                  {"rollout", d.rollout.text()},
                  {"revision", d.revision},
                  {"image", d.image},
                  {"commit", d.commit},
                  {"began", format_time(d.began)},
                  {"outcome", to_text(d.outcome)},
                  {"why", d.why},
                  {"approvedBy", d.approved_by}};
    if (!d.from.empty()) entry["from"] = d.from;
    if (!d.author.empty()) entry["author"] = d.author;
    if (!d.merged_by.empty()) entry["mergedBy"] = d.merged_by;
    if (d.committed) entry["committed"] = format_time(*d.committed);
    if (d.exposed) entry["exposed"] = format_time(*d.exposed);
    if (d.ended) entry["ended"] = format_time(*d.ended);
    if (auto lead = lead_time(d)) entry["leadTimeSeconds"] = lead->count() / 1000;
    if (auto restore = restore_time(d)) entry["timeToRestoreSeconds"] = restore->count() / 1000;
    deployments.push_back(std::move(entry));
  }
  Json figures = {{"deployments", audit.figures.deployments}};
  if (audit.figures.per_day) figures["deploymentsPerDay"] = *audit.figures.per_day;
  if (audit.figures.lead_time) figures["leadTimeSeconds"] = audit.figures.lead_time->count() / 1000;
  if (audit.figures.change_failure_rate) figures["changeFailureRate"] = *audit.figures.change_failure_rate;
  if (audit.figures.time_to_restore) figures["timeToRestoreSeconds"] = audit.figures.time_to_restore->count() / 1000;
  return {{"deployments", std::move(deployments)}, {"figures", std::move(figures)}};
}

}  // namespace reconciler
