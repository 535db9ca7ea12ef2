#include "web/measured_cluster.h"

namespace reconciler {
namespace {

std::string result_of(const Result<Json>& applied) {
  if (applied) return "applied";
  switch (applied.error().kind) {
    case ErrorKind::Transient: return "failed";
    case ErrorKind::Conflict: return "conflict";
    case ErrorKind::Invalid: return "refused";
  }
  unreachable();
}

}  // namespace

Result<Json> MeasuredCluster::apply(const Json& object, ApplyMode mode) {
  auto applied = inner_.apply(object, mode);
  const std::string kind = text_at(object, {"kind"});
  if (mode == ApplyMode::Write && kind != "Event")
    measurements_.add(Measure::ObjectsApplied, {{"kind", kind}, {"result", result_of(applied)}});
  return applied;
}

}  // namespace reconciler
