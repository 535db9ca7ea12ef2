#include "web/health.h"

namespace reconciler {

void Health::polled_well(Duration at) {
  std::lock_guard lock(mutex_);
  facts_.last_good_poll = at;
}

void Health::recorded(const std::string& trouble) {
  std::lock_guard lock(mutex_);
  facts_.record_trouble = trouble;
}

void Health::api_answered(const std::string& trouble) {
  std::lock_guard lock(mutex_);
  facts_.api_trouble = trouble;
}

HealthFacts Health::facts() const {
  std::lock_guard lock(mutex_);
  return facts_;
}

}  // namespace reconciler
