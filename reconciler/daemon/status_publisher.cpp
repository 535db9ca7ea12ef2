#include "daemon/status_publisher.h"

#include <utility>

#include "base/log.h"

namespace reconciler {

/// What is made of an object while it is written would carry other times than what is written.
void StatusPublisher::publish(const RolloutKey& rollout, std::optional<Json> status) {
  if (sending_ == rollout) {
    overtaken_ = true;
  } else if (status) {
    waiting_[rollout] = *std::move(status);
  } else {
    waiting_.erase(rollout);
  }
}

void StatusPublisher::run_due() {
  if (sending_ || waiting_.empty() || clock_.monotonic() < not_before_) return;
  auto next = waiting_.begin();
  const RolloutKey rollout = next->first;
  sending_ = rollout;
  Json status = std::move(next->second);
  waiting_.erase(next);
  workers_.run(Lane::Events, [this, rollout, status = std::move(status)]() -> Completion {
    const Json object = {{"apiVersion", "argoproj.io/v1alpha1"},
                         {"kind", "Rollout"},
                         {"metadata", {{"name", rollout.name}, {"namespace", rollout.ns}}},
                         {"status", status}};
    return [this, rollout, status, written = cluster_.apply(object, ApplyMode::Status)] {
      finish(rollout, status, written);
    };
  });
}

Duration StatusPublisher::next_due() const {
  if (sending_ || waiting_.empty()) return Duration::max();
  return std::max(not_before_, clock_.monotonic());
}

/// What could not be sent is sent again unless there is something newer. An object that is gone, or whose kind is,
/// has no status; it is published anew when it comes back.
void StatusPublisher::finish(const RolloutKey& rollout, const Json& status, const Result<Json>& written) {
  sending_.reset();
  const bool overtaken = std::exchange(overtaken_, false);
  if (overtaken) look_again_(rollout);
  const std::string trouble = written ? "" : written.error().message;
  if (!trouble.empty() && trouble_ != trouble)
    log_warn("the status of a Rollout object cannot be written", {{"rollout", rollout.text()}, {"error", trouble}});
  trouble_ = trouble;
  if (written) {
    backoff_.succeed();
  } else if (written.error().kind == ErrorKind::Transient) {
    if (!overtaken) waiting_.try_emplace(rollout, status);
    const Duration now = clock_.monotonic();
    not_before_ = now + backoff_.next(now.count(), 0.5);
  }
}

}  // namespace reconciler
