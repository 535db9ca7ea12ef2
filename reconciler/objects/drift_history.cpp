#include "objects/drift_history.h"

namespace reconciler {

bool DriftHistory::may_correct(const std::string& fields, Duration now) {
  if (fields != fields_) forget();
  fields_ = fields;
  while (!corrected_.empty() && corrected_.front() + kWithin <= now) corrected_.pop_front();
  if (corrected_.size() >= kCorrectionsMax) return false;
  corrected_.push_back(now);
  return true;
}

void DriftHistory::forget() {
  fields_.clear();
  corrected_.clear();
}

}  // namespace reconciler
