// What is counted and timed while the program works. Fed by decorators around the ports and by hooks of the loop, from
// any thread; read by a scrape. Names and labels: spec/gitops.md 13.
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/time.h"
#include "web/exposition.h"

namespace reconciler {

enum class Measure {
  GitPolls,
  GitPollSeconds,
  GitFetchBytes,
  GitLastSuccess,
  GitPushes,
  GitPushAttempts,
  WebhookRequests,
  WebhookToSyncSeconds,
  Reconciles,
  ReconcileSeconds,
  QueueDepth,
  QueueWaitSeconds,
  InFlight,
  CommitToApplySeconds,
  CommitToHealthySeconds,
  ObjectsApplied,
  Promotions,
  Aborts,
  RollbackSeconds,
  KubeRequests,
  KubeRequestSeconds,
  KubeThrottleSeconds,
  WatchRestarts,
};
inline constexpr size_t kMeasures = size_t(Measure::WatchRestarts) + 1;

class Measurements {
 public:
  /// Adds to a counter, or to a gauge that goes up and down.
  void add(Measure measure, const Labels& labels, double by = 1);
  void set(Measure measure, const Labels& labels, double value);
  /// Sorts a time into the buckets of a histogram.
  void time(Measure measure, const Labels& labels, Duration duration);

  void write(Exposition& out) const;

 private:
  struct Histogram {
    std::vector<uint64_t> buckets;
    double sum = 0;
    uint64_t count = 0;
  };
  struct Family {
    std::map<std::string, double> values;
    std::map<std::string, Histogram> histograms;
  };
  mutable std::mutex mutex_;
  std::array<Family, kMeasures> families_;
};

}  // namespace reconciler
