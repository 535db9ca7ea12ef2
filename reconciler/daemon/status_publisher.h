// Keeps the `.status` of Rollout objects in the cluster up to date, for whoever reads it there. Only the newest one
// counts, so a slow API server is never sent what is out of date already.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "daemon/backoff.h"
#include "daemon/workers.h"
#include "ports.h"

namespace reconciler {

class StatusPublisher {
 public:
  /// `look_again`: the rollout is to be looked at anew, because what it should say may have changed while its status
  /// was being written.
  StatusPublisher(Cluster& cluster, Clock& clock, Workers& workers, std::function<void(const RolloutKey&)> look_again)
      : cluster_(cluster), clock_(clock), workers_(workers), look_again_(std::move(look_again)) {}

  /// What the object should say from now on; nothing when it says so already.
  void publish(const RolloutKey& rollout, std::optional<Json> status);

  void run_due();
  Duration next_due() const;
  bool idle() const { return waiting_.empty() && !sending_; }

 private:
  void finish(const RolloutKey& rollout, const Json& status, const Result<Json>& written);

  Cluster& cluster_;
  Clock& clock_;
  Workers& workers_;
  std::function<void(const RolloutKey&)> look_again_;
  std::map<RolloutKey, Json> waiting_;
  std::optional<RolloutKey> sending_;
  bool overtaken_ = false;  ///< what is being sent may be out of date already
  Duration not_before_{0};
  Backoff backoff_{1s, 2.0, 1min};
  std::string trouble_;
};

}  // namespace reconciler
