#include "daemon/object_report.h"

#include <algorithm>

#include "base/format.h"
#include "objects/managers.h"

namespace reconciler {

std::string DriftReport::text() const {
  if (is_fight) return format("DriftFight: {} and {} change {} back and forth", kFieldManager, who(), drift.fields);
  return format("drift: {} changed {}", who(), drift.fields);
}

bool ObjectReport::in_sync() const {
  return failed.empty() && drifted.empty() && std::all_of(unsettled.begin(), unsettled.end(), [](const auto& object) {
           return object.second.status == HealthStatus::Suspended;
         });
}

}  // namespace reconciler
