#include "web/measurements.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace reconciler {
namespace {

constexpr std::array kBuckets = {0.005, 0.01, 0.025, 0.05, 0.1,  0.25,  0.5,   1.0,
                                 2.5,   5.0,  10.0,  30.0, 60.0, 120.0, 300.0, 600.0};
/// Labels are bounded by what they name; this is for what nobody thought of.
constexpr size_t kSeriesMax = 100'000;

struct Described {
  std::string_view name, type, help;
};

Described described(Measure measure) {
  switch (measure) {
    case Measure::GitPolls: return {"serin_git_poll_total", "counter", "Polls of the repository."};
    case Measure::GitPollSeconds:
      return {"serin_git_poll_duration_seconds", "histogram", "Time of a poll, a fetch included."};
    case Measure::GitFetchBytes: return {"serin_git_fetch_bytes_total", "counter", "Bytes received by fetches."};
    case Measure::GitLastSuccess:
      return {"serin_git_last_success_timestamp_seconds", "gauge", "When the repository answered last."};
    case Measure::GitPushes: return {"serin_git_push_total", "counter", "Pushes of recorded transitions."};
    case Measure::GitPushAttempts:
      return {"serin_git_push_attempts", "gauge", "Tries that failed since the last push that went through."};
    case Measure::WebhookRequests: return {"serin_webhook_requests_total", "counter", "Hooks by what became of them."};
    case Measure::WebhookToSyncSeconds:
      return {"serin_webhook_to_sync_seconds", "histogram",
              "Time from a hook to the end of the poll that it asked for."};
    case Measure::Reconciles: return {"serin_reconcile_total", "counter", "Looks at a rollout."};
    case Measure::ReconcileSeconds:
      return {"serin_reconcile_duration_seconds", "histogram", "Time to observe and plan one rollout."};
    case Measure::QueueDepth: return {"serin_queue_depth", "gauge", "Jobs that wait for a worker."};
    case Measure::QueueWaitSeconds: return {"serin_queue_wait_seconds", "histogram", "Time a job waited for a worker."};
    case Measure::InFlight: return {"serin_inflight", "gauge", "Jobs under way."};
    case Measure::CommitToApplySeconds:
      return {"serin_commit_to_apply_seconds", "histogram",
              "Time from a commit to the first transition that it asked for."};
    case Measure::CommitToHealthySeconds:
      return {"serin_commit_to_healthy_seconds", "histogram", "Time from a commit until its rollout was Healthy."};
    case Measure::ObjectsApplied: return {"serin_objects_applied_total", "counter", "Writes of objects from Git."};
    case Measure::Promotions: return {"serin_rollout_promotions_total", "counter", "Revisions that became stable."};
    case Measure::Aborts: return {"serin_rollout_aborts_total", "counter", "Canaries that were rejected."};
    case Measure::RollbackSeconds:
      return {"serin_rollout_rollback_seconds", "histogram",
              "Time from the decision to go back until stable had everything again."};
    case Measure::KubeRequests: return {"serin_kube_requests_total", "counter", "Requests to the API server."};
    case Measure::KubeRequestSeconds:
      return {"serin_kube_request_duration_seconds", "histogram", "Time of a request to the API server."};
    case Measure::KubeThrottleSeconds:
      return {"serin_kube_throttle_seconds_total", "counter", "Waiting time that the API server asked for (429)."};
    case Measure::WatchRestarts: return {"serin_watch_restarts_total", "counter", "Watches begun again."};
  }
  unreachable();
}

std::string with(const std::string& labels, const std::string& more) {
  return labels.empty() ? more : labels + "," + more;
}

}  // namespace

void Measurements::add(Measure measure, const Labels& labels, double by) {
  const std::string text = label_text(labels);
  std::lock_guard lock(mutex_);
  auto& values = families_[size_t(measure)].values;
  if (values.size() < kSeriesMax || values.contains(text)) values[text] += by;
}

void Measurements::set(Measure measure, const Labels& labels, double value) {
  std::lock_guard lock(mutex_);
  families_[size_t(measure)].values[label_text(labels)] = value;
}

void Measurements::time(Measure measure, const Labels& labels, Duration duration) {
  const double seconds = std::max(0.0, double(duration.count()) / 1000);
  const std::string text = label_text(labels);
  std::lock_guard lock(mutex_);
  auto& histograms = families_[size_t(measure)].histograms;
  if (histograms.size() >= kSeriesMax && !histograms.contains(text)) return;
  Histogram& histogram = histograms[text];
  histogram.buckets.resize(kBuckets.size());
  auto bucket = std::lower_bound(kBuckets.begin(), kBuckets.end(), seconds);
  if (bucket != kBuckets.end()) ++histogram.buckets[size_t(bucket - kBuckets.begin())];
  histogram.sum += seconds;
  ++histogram.count;
}

void Measurements::write(Exposition& out) const {
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < kMeasures; ++i) {
    const Family& family = families_[i];
    if (family.values.empty() && family.histograms.empty()) continue;
    const Described what = described(Measure(i));
    out.family(what.name, what.type, what.help);
    for (const auto& [labels, value] : family.values) out.sample(labels, value);
    for (const auto& [labels, histogram] : family.histograms) {
      uint64_t below = 0;
      for (size_t bucket = 0; bucket < kBuckets.size(); ++bucket) {
        below += histogram.buckets[bucket];
        out.sample("_bucket", with(labels, "le=\"" + number_text(kBuckets[bucket]) + "\""), double(below));
      }
      out.sample("_bucket", with(labels, "le=\"+Inf\""), double(histogram.count));
      out.sample("_sum", labels, histogram.sum);
      out.sample("_count", labels, double(histogram.count));
    }
  }
}

}  // namespace reconciler
