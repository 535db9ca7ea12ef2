// What the report says as gauges, beside what was counted. No commit ids or messages in labels, except of *_info.
#include <algorithm>
#include <map>

#include "web/exposition.h"
#include "web/pages.h"

namespace reconciler {
namespace {

constexpr std::string_view kGauge = "gauge";

/// `namespace="shop",name="checkout"`
std::string named(const RolloutKey& key) { return label_text({{"namespace", key.ns}, {"name", key.name}}); }

template <class Add>
void for_each_status(const Report& report, const Add& add) {
  for (const RolloutReport& rollout : report.rollouts)
    if (rollout.status) add(named(rollout.key), *rollout.status);
}

void write_images(Exposition& out, const std::string& name, std::string_view role,
                  const std::optional<Revision>& revision) {
  if (!revision) return;
  out.sample(name + "," + label_text({{"role", std::string(role)}, {"image", revision->image}}), 1);
}

/// Git asks for what was rejected, or what is asked for is refused: what runs is something else.
bool is_diverged(const Status& status) {
  return !status.refused.empty() || std::any_of(status.rejected.begin(), status.rejected.end(), [&](const Rejected& r) {
    return !r.lapsed && (!status.canary || !status.returning.empty());
  });
}

void write_rollouts(Exposition& out, const Report& report) {
  out.family("serin_rollout_phase", kGauge, "The phase a rollout is in.");
  for_each_status(report, [&](const std::string& name, const Status& status) {
    out.sample(name + ",phase=\"" + std::string(to_text(status.phase)) + "\"", 1);
  });
  out.family("serin_rollout_weight", kGauge, "The canary's share of traffic in percent.");
  for_each_status(report, [&](const std::string& name, const Status& status) {
    out.sample(name, percent_of(status.weight, status.whole));
  });
  out.family("serin_rollout_step", kGauge, "The number of canary steps completed.");
  for_each_status(report, [&](const std::string& name, const Status& status) {
    if (status.step) out.sample(name, status.step->index);
  });
  out.family("serin_rollout_info", kGauge, "The images a rollout consists of.");
  for_each_status(report, [&](const std::string& name, const Status& status) {
    write_images(out, name, "stable", status.stable);
    write_images(out, name, "canary", status.canary);
  });
  out.family("serin_rollout_git_diverged", kGauge, "Git asks for something that was rejected or refused.");
  for_each_status(report, [&](const std::string& name, const Status& status) {
    if (is_diverged(status)) out.sample(name, 1);
  });
  out.family("serin_rollout_trouble", kGauge,
             "Rollouts about which nothing is decided or done until something is put right.");
  for (const RolloutReport& rollout : report.rollouts)
    if (!rollout.trouble.empty()) out.sample(named(rollout.key), 1);
}

/// How often `what` happened, by kind.
void write_counted(Exposition& out, const ObjectReport& report, std::string_view what, const Labels& more) {
  for (const auto& [name, count] : report.counts) {
    if (name.second != what) continue;
    Labels labels{{"kind", name.first}};
    labels.insert(labels.end(), more.begin(), more.end());
    out.sample(label_text(labels), double(count));
  }
}

void write_objects(Exposition& out, const ObjectReport& report) {
  std::map<std::pair<std::string, HealthStatus>, int> health;
  for (const auto& [kind, total] : report.total) health[{kind, HealthStatus::Current}] = int(total);
  for (const auto& [key, unsettled] : report.unsettled) {
    ++health[{key.kind, unsettled.status}];
    --health[{key.kind, HealthStatus::Current}];
  }
  out.family("serin_objects_health", kGauge, "Plain objects by how they are.");
  for (const auto& [name, count] : health)
    out.sample(label_text({{"kind", name.first}, {"status", std::string(to_text(name.second))}}), count);
  out.family("serin_drift_total", "counter", "Changes of live objects by others, by what was done about them.");
  for (const char* action : {"corrected", "reported"}) write_counted(out, report, action, {{"action", action}});
  out.family("serin_drift_fights_total", "counter", "Objects that somebody kept changing back.");
  write_counted(out, report, "fight", {});
}

void write_single(Exposition& out, std::string_view name, std::string_view help, const std::string& labels,
                  double value) {
  out.family(name, kGauge, help);
  out.sample(labels, value);
}

}  // namespace

std::string metrics_text(const Published& published) {
  Exposition out;
  const std::string repo = label_text({{"repo", published.repo}});
  write_single(out, "serin_build_info", "The version that runs.", label_text({{"version", published.version}}), 1);
  if (published.measurements) published.measurements->write(out);
  write_single(out, "serin_git_status_lag_seconds", "For how long something recorded has waited to be pushed.", repo,
               double(published.status_lag.count()) / 1000);
  if (!published.report) return out.take();
  const Report& report = *published.report;
  out.family("serin_git_head_info", kGauge, "The commit whose manifests are in force.");
  if (!report.head.empty())
    out.sample(label_text({{"repo", published.repo}, {"ref", published.ref}, {"commit", report.head}}), 1);
  write_single(out, "serin_git_push_queue", "Recorded transitions that are not pushed yet.", repo,
               double(report.unpushed));
  write_single(out, "serin_git_trouble", "The repository cannot be followed or pushed to.", repo,
               report.git_trouble.empty() ? 0 : 1);
  write_single(out, "serin_cluster_trouble", "The cluster cannot be observed.", "",
               report.cluster_trouble.empty() ? 0 : 1);
  write_single(out, "serin_leader", "This daemon decides.", "", report.leadership.leads ? 1 : 0);
  write_single(out, "serin_objects_failed", "Objects that are not as Git asks for.", "",
               double(report.objects.failed.size()));
  write_single(out, "serin_manifest_problems", "What is wrong with files in Git.", "", double(report.problems.size()));
  write_objects(out, report.objects);
  write_single(out, "serin_prune_held", "Objects that Git names no more and that stay until people release them.", "",
               double(report.prune.held.size()));
  out.family("serin_prune_total", "counter", "What became of objects that Git names no more.");
  for (const auto& [what, count] : report.prune.total)
    out.sample(label_text({{"kind", what.first}, {"result", what.second}}), double(count));
  write_rollouts(out, report);
  return out.take();
}

}  // namespace reconciler
