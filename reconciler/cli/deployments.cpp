#include "cli/deployments.h"

#include <algorithm>
#include <cstdlib>

#include "base/check.h"

namespace reconciler {
namespace {

bool begins(const Recorded& transition, std::string_view what) { return transition.subject.starts_with(what); }

std::optional<Duration> median(std::vector<Duration> all) {
  if (all.empty()) return std::nullopt;
  std::sort(all.begin(), all.end());
  const size_t middle = all.size() / 2;
  return all.size() % 2 == 1 ? all[middle] : (all[middle - 1] + all[middle]) / 2;
}

}  // namespace

std::string_view to_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::Running: return "running";
    case Outcome::Promoted: return "promoted";
    case Outcome::RolledBack: return "rolled back";
    case Outcome::Reverted: return "reverted";
    case Outcome::Superseded: return "superseded";
    case Outcome::Removed: return "removed";
  }
  unreachable();
}

void DeploymentLog::begin(Line& line, const Recorded& transition) {
  if (line.running) end(line, transition, Outcome::Superseded);
  // An earlier version is brought back: what was promoted last has failed, as people see it.
  if (line.stable && line.promoted.contains(transition.revision) && all_[*line.stable].revision != transition.revision)
    all_[*line.stable].outcome = Outcome::Reverted;
  line.running = all_.size();
  all_.push_back({.cluster = transition.cluster,
                  .rollout = transition.rollout,
                  .revision = transition.revision,
                  .image = transition.image,
                  .from = line.stable_image,
                  .commit = transition.requested,
                  .began = transition.commit.time});
}

void DeploymentLog::end(Line& line, const Recorded& transition, Outcome outcome) {
  Deployment& deployment = all_[*line.running];
  deployment.ended = transition.commit.time;
  deployment.outcome = outcome;
  if (outcome != Outcome::Superseded || deployment.why.empty()) deployment.why = transition.why;
  if (outcome == Outcome::RolledBack) deployment.restored = transition.commit.time;
  line.running.reset();
}

void DeploymentLog::add(const Recorded& transition) {
  Line& line = lines_[{transition.cluster, transition.rollout}];
  if (begins(transition, "deploying ")) begin(line, transition);
  if (line.running) {
    Deployment& deployment = all_[*line.running];
    if (!deployment.exposed && std::atoi(transition.weight.c_str()) > 0) deployment.exposed = transition.commit.time;
    const auto& decision = transition.status ? transition.status->decision : std::nullopt;
    const bool approves = decision && (decision->verb == Verb::Promote || decision->verb == Verb::PromoteFull) &&
                          decision->revision == deployment.revision && decision->at >= deployment.began;
    auto& by = deployment.approved_by;
    if (approves && std::count(by.begin(), by.end(), decision->by) == 0) by.push_back(decision->by);
  }
  if (begins(transition, "promoted ") && line.running) {
    const size_t promoted = *line.running;
    end(line, transition, Outcome::Promoted);
    if (line.stable && all_[*line.stable].outcome == Outcome::Reverted && !all_[*line.stable].restored)
      all_[*line.stable].restored = transition.commit.time;
    line.stable = promoted;
    line.promoted[all_[promoted].revision] = true;
    line.stable_image = all_[promoted].image;
    if (!all_[promoted].exposed) all_[promoted].exposed = transition.commit.time;
  } else if (begins(transition, "rolled back to ") && line.running) {
    end(line, transition, Outcome::RolledBack);
  } else if (transition.subject == "removed") {
    if (line.running) end(line, transition, Outcome::Removed);
    lines_.erase({transition.cluster, transition.rollout});
  }
}

std::vector<Deployment> DeploymentLog::take() {
  lines_.clear();
  return std::exchange(all_, {});
}

DeliveryFigures figures_of(const std::vector<Deployment>& deployments, TimePoint since, TimePoint until) {
  DeliveryFigures out{.deployments = deployments.size()};
  std::vector<Duration> lead_times, restore_times;
  size_t good = 0, bad = 0;
  for (const Deployment& d : deployments) {
    const bool was_promoted = d.outcome == Outcome::Promoted || d.outcome == Outcome::Reverted;
    if (was_promoted && d.committed && d.ended) lead_times.push_back(std::max<Duration>(0ms, *d.ended - *d.committed));
    good += d.outcome == Outcome::Promoted;
    bad += d.failed();
    if (d.failed() && d.restored) restore_times.push_back(*d.restored - d.exposed.value_or(d.began));
  }
  // A rate a day of less than a day is no figure.
  if (until - since >= 24h)
    out.per_day = double(deployments.size()) / (std::chrono::duration<double>(until - since).count() / 86400);
  if (good + bad > 0) out.change_failure_rate = double(bad) / double(good + bad);
  out.lead_time = median(std::move(lead_times));
  out.time_to_restore = median(std::move(restore_times));
  return out;
}

}  // namespace reconciler
