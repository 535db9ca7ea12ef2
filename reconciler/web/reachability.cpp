#include "web/reachability.h"

namespace reconciler {

void Reachability::polled_well(Duration at) {
  std::lock_guard lock(mutex_);
  facts_.last_good_poll = at;
}

void Reachability::recorded(const std::string& trouble) {
  std::lock_guard lock(mutex_);
  facts_.record_trouble = trouble;
}

void Reachability::api_answered(const std::string& trouble) {
  std::lock_guard lock(mutex_);
  facts_.api_trouble = trouble;
}

ReachabilityFacts Reachability::facts() const {
  std::lock_guard lock(mutex_);
  return facts_;
}

}  // namespace reconciler
