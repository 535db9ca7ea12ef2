#include "cli/status_text.h"

#include <cmath>
#include <sstream>

#include <set>

#include "base/format.h"
#include "cli/table.h"
#include "rollout/image.h"

namespace reconciler {
namespace {

using Row = std::vector<std::string>;

bool has_several_clusters(const std::vector<StatusEntry>& entries) {
  std::set<std::string> clusters;
  for (const StatusEntry& entry : entries) clusters.insert(entry.cluster);
  return clusters.size() > 1;
}

/// A blue-green update has no steps, but a preview; an experiment by itself has a run.
std::string step_text(const Status& status) {
  if (status.run) return !status.run->ended.empty() ? "ended" : status.experiment ? "running" : "starting";
  if (status.preview) return status.preview->accepted ? "accepted" : "preview";
  return status.step ? format("{}/{}", status.step->index, status.step->count) : "-";
}

std::string label(const std::optional<Revision>& revision, const std::optional<Revision>& other) {
  return revision ? label_of(*revision, other) : "-";
}

/// When the rollout came where it is.
std::optional<TimePoint> began(const StatusEntry& entry) {
  if (entry.last) return entry.last->commit.time;
  const Status& status = entry.status;
  if (status.run) return status.experiment.value_or(status.run->since);
  if (status.canary && status.step) return status.step->since;
  if (status.preview) return status.preview->since;
  return status.stable ? std::optional(status.stable->since) : std::nullopt;
}

std::string age(const std::optional<TimePoint>& since, TimePoint now) {
  if (!since) return "-";
  auto seconds = std::max(std::chrono::seconds(0), std::chrono::floor<std::chrono::seconds>(now - *since));
  if (seconds >= 48h) return format("{}d", seconds / 24h);
  return format_duration(seconds >= 1h ? std::chrono::floor<std::chrono::minutes>(seconds) : seconds);
}

std::string revision_text(const Revision& revision) {
  return format("{}  {}  since {}", revision.hash, revision.image, format_time(revision.since));
}

std::string run_text(const ExperimentRun& run) {
  std::string text = format("run       {}  since {}", run.hash, format_time(run.since));
  if (!run.ended.empty()) text += format("  {}: {}", run.failed ? "failed" : "succeeded", run.ended);
  return text;
}

/// One level of a tree; the last branch is drawn with a corner.
std::string branches(const std::vector<std::string>& lines) {
  std::string out;
  for (size_t i = 0; i < lines.size(); ++i) out += (i + 1 == lines.size() ? "└─ " : "├─ ") + lines[i] + "\n";
  return out;
}

Json revision_json(const Revision& revision) {
  return {{"revision", revision.hash}, {"image", revision.image}, {"since", format_time(revision.since)}};
}

Json entry_json(const StatusEntry& entry) {
  const Status& status = entry.status;
  Json json = {{"rollout", entry.rollout.text()},
               {"cluster", entry.cluster},
               {"phase", to_text(status.phase)},
               {"weight", status.weight}};
  if (status.whole != kWholeWeight) json["weightOf"] = status.whole;
  if (!status.commit.empty()) json["commit"] = status.commit;
  if (status.stable) json["stable"] = revision_json(*status.stable);
  if (status.canary) json["canary"] = revision_json(*status.canary);
  if (status.step)
    json["step"] = {
        {"index", status.step->index}, {"count", status.step->count}, {"since", format_time(status.step->since)}};
  if (status.run) {
    json["run"] = {{"revision", status.run->hash}, {"since", format_time(status.run->since)}};
    if (!status.run->ended.empty()) {
      json["run"]["ended"] = status.run->ended;
      json["run"]["failed"] = status.run->failed;
    }
  }
  if (status.experiment) json["experiment"] = {{"since", format_time(*status.experiment)}};
  if (status.preview)
    json["preview"] = {{"since", format_time(status.preview->since)}, {"accepted", status.preview->accepted}};
  for (const Revision& revision : status.previous) json["previous"].push_back(revision_json(revision));
  for (const Rejected& rejected : status.rejected)
    json["rejected"].push_back({{"revision", rejected.hash},
                                {"image", rejected.image},
                                {"at", format_time(rejected.at)},
                                {"why", rejected.why},
                                {"lapsed", rejected.lapsed}});
  if (!status.refused.empty()) json["refused"] = status.refused;
  if (entry.last) json["why"] = entry.last->why;
  return json;
}

struct Share {
  const Revision* revision;
  double percent;
};

/// `20%`, or `0.1%` of a weight that is a part of more than 100.
std::string percent_text(double percent) {
  std::ostringstream out;
  out << percent << '%';
  return out.str();
}

Json percent_number(double percent) { return percent == std::floor(percent) ? Json(int(percent)) : Json(percent); }

/// Whoever has traffic.
std::vector<Share> shares(const Status& status) {
  std::vector<Share> out;
  const double canary = status.canary ? percent_of(status.weight, status.whole) : 0;
  if (status.stable && canary < 100) out.push_back({&*status.stable, 100 - canary});
  if (canary > 0) out.push_back({&*status.canary, canary});
  return out;
}

std::string trailers_text(const DeployTrailers& trailers) {
  if (!trailers.ignored.empty()) return format("of {} ignored: {}", trailers.by, trailers.ignored);
  if (trailers.pause_at) return format("pause at {}%, by {}", *trailers.pause_at, trailers.by);
  return format("{} by {}", trailers.skip_steps ? "steps skipped" : "pause ended", trailers.by);
}

}  // namespace

std::string status_table(const std::vector<StatusEntry>& entries, TimePoint now) {
  bool several = has_several_clusters(entries);
  std::vector<Row> rows = {{"ROLLOUT", "PHASE", "STEP", "WEIGHT", "STABLE", "CANARY", "SINCE"}};
  if (several) rows[0].insert(rows[0].begin(), "CLUSTER");
  for (const StatusEntry& entry : entries) {
    const Status& s = entry.status;
    Row row = {entry.rollout.text(),      std::string(to_text(s.phase)), step_text(s),          share_text(s),
               label(s.stable, s.canary), label(s.canary, s.stable),     age(began(entry), now)};
    if (several) row.insert(row.begin(), entry.cluster);
    rows.push_back(std::move(row));
  }
  return table_text(rows);
}

std::string status_tree(const StatusEntry& entry, TimePoint now) {
  const Status& s = entry.status;
  std::vector<std::string> lines;
  if (s.canary)
    lines.push_back(
        format("canary    {} of traffic  {}", percent_text(percent_of(s.weight, s.whole)), revision_text(*s.canary)));
  if (s.stable)
    lines.push_back(format("stable    {} of traffic  {}", percent_text(100 - percent_of(s.weight, s.whole)),
                           revision_text(*s.stable)));
  if (s.run) lines.push_back(run_text(*s.run));
  if (s.experiment) lines.push_back(format("experiment since {}", format_time(*s.experiment)));
  if (s.preview)
    lines.push_back(format("preview   {} since {}", s.preview->accepted ? "accepted" : "waits to be accepted",
                           format_time(s.preview->since)));
  for (const Revision& revision : s.previous) lines.push_back("previous  " + revision_text(revision));
  for (const Rejected& rejected : s.rejected)
    lines.push_back(format("rejected  {}  {}  at {}{}: {}", rejected.hash, rejected.image, format_time(rejected.at),
                           rejected.lapsed ? " (lapsed)" : "", rejected.why));
  if (s.decision)
    lines.push_back(format("decision  {} by {} at {}{}", to_text(s.decision->verb), s.decision->by,
                           format_time(s.decision->at), s.decision->reason.empty() ? "" : ": " + s.decision->reason));
  if (s.ignored)
    lines.push_back(format("ignored   {} by {} in {}: {}", to_text(s.ignored->verb), s.ignored->by,
                           s.ignored->commit.substr(0, 8), s.ignored->why));
  if (s.trailers) lines.push_back("trailers  " + trailers_text(*s.trailers));
  if (!s.refused.empty()) lines.push_back("refused   " + s.refused);
  if (!s.commit.empty()) lines.push_back("commit    " + s.commit);
  if (entry.last) lines.push_back(format("why       {}: {}", entry.last->subject, entry.last->why));
  std::string head = format("{}  {}", entry.rollout.text(), to_text(s.phase));
  if (s.step) head += format("  step {}", step_text(s));
  return head + format("  for {}  (cluster {})\n", age(began(entry), now), entry.cluster) + branches(lines);
}

Json status_json(const std::vector<StatusEntry>& entries) {
  Json rollouts = Json::array();
  for (const StatusEntry& entry : entries) rollouts.push_back(entry_json(entry));
  return {{"rollouts", std::move(rollouts)}};
}

std::string serving_text(const Status& status) {
  std::string out;
  for (const Share& share : shares(status))
    out += format("{}{} {}", out.empty() ? "" : ", ", percent_text(share.percent), share.revision->image);
  return out.empty() ? "nothing" : out;
}

std::string serving_table(const std::vector<StatusEntry>& entries) {
  bool several = has_several_clusters(entries);
  std::vector<Row> rows = {{"ROLLOUT", "PHASE", "SERVED", "SINCE", "RECORDED IN"}};
  if (several) rows[0].insert(rows[0].begin(), "CLUSTER");
  for (const StatusEntry& entry : entries) {
    std::optional<TimePoint> since = began(entry);
    Row row = {entry.rollout.text(), std::string(to_text(entry.status.phase)), serving_text(entry.status),
               since ? format_time(*since) : "-", entry.last ? entry.last->commit.id.substr(0, 12) : "-"};
    if (several) row.insert(row.begin(), entry.cluster);
    rows.push_back(std::move(row));
  }
  return table_text(rows);
}

Json serving_json(const std::vector<StatusEntry>& entries, TimePoint at) {
  Json rollouts = Json::array();
  for (const StatusEntry& entry : entries) {
    Json json = entry_json(entry);
    json["served"] = Json::array();
    for (const Share& share : shares(entry.status))
      json["served"].push_back({{"image", share.revision->image},
                                {"revision", share.revision->hash},
                                {"percent", percent_number(share.percent)}});
    if (entry.last) {
      json["recorded"] = {{"commit", entry.last->commit.id}, {"time", format_time(entry.last->commit.time)}};
      json["requested"] = entry.last->requested;
    }
    rollouts.push_back(std::move(json));
  }
  return {{"at", format_time(at)}, {"rollouts", std::move(rollouts)}};
}

}  // namespace reconciler
