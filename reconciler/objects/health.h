// Is an object what it is meant to be yet? Read out of the object alone, by the rules of spec/gitops.md 9.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "base/time.h"

namespace reconciler {

enum class HealthStatus {
  Current,      ///< its controllers have done all that was asked for
  InProgress,   ///< they are at it
  Suspended,    ///< somebody told them to wait
  Failed,       ///< they gave up, or nothing they do helps
  Terminating,  ///< it is on its way out
};

struct Health {
  HealthStatus status = HealthStatus::Current;
  std::string why = {};                                 ///< empty when current
  std::optional<TimePoint> failed_from = std::nullopt;  ///< when this goes on until then, it has failed
  bool operator==(const Health&) const = default;
};

/// The health that the object shows. Kinds without a rule are current, or as their condition `Ready` says.
Health health_of(const Json& object);

/// What has been going on for too long has failed.
HealthStatus status_at(const Health& health, TimePoint now);

/// `InProgress`
std::string_view to_text(HealthStatus status);

}  // namespace reconciler
