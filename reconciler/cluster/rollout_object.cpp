#include "cluster/rollout_object.h"

#include "rollout/action.h"

namespace reconciler {
namespace {

/// The last write of something, as managedFields tell.
struct LastWrite {
  std::string manager;
  TimePoint time;
};

using Path = std::initializer_list<std::string_view>;

/// Who wrote the field at `path` last; nothing when nobody did. Of writes within one second ours counts.
std::optional<LastWrite> last_write(const Json& object, Path path, std::string_view us) {
  std::optional<LastWrite> last;
  const Json* entries = find(object, {"metadata", "managedFields"});
  if (entries == nullptr || !entries->is_array()) return last;
  for (const Json& entry : *entries) {
    const Json* fields = find(entry, {"fieldsV1"});
    if (fields == nullptr || find(*fields, path) == nullptr) continue;
    LastWrite write{text_at(entry, {"manager"}), parse_time(text_at(entry, {"time"})).value_or(TimePoint{})};
    const bool later = !last || write.time > last->time || (write.time == last->time && write.manager == us);
    if (later) last = std::move(write);
  }
  return last;
}

/// spec.replicas, where it was set through the scale subresource.
std::optional<int> scaled_to(const Json& object) {
  const Json* entries = find(object, {"metadata", "managedFields"});
  if (entries == nullptr || !entries->is_array()) return std::nullopt;
  for (const Json& entry : *entries)
    if (text_at(entry, {"subresource"}) == "scale" && find(entry, {"fieldsV1", "f:spec", "f:replicas"}) != nullptr)
      if (auto replicas = integer_at(object, {"spec", "replicas"}); replicas && *replicas <= INT32_MAX)
        return static_cast<int>(*replicas);
  return std::nullopt;
}

/// Whoever wrote the status last, unless people released it since, or we took it over since: then its first status of
/// ours is still to come.
std::string driver_of(const Json& object, std::string_view manager) {
  auto status = last_write(object, {"f:status", "f:observedGeneration"}, manager);
  if (!status || status->manager == manager) return "";
  const std::string annotation = "f:" + std::string(kTakeOverAnnotation), label = "f:" + std::string(kOwnerLabel);
  auto released = last_write(object, {"f:metadata", "f:annotations", annotation}, manager);
  if (text_at(object, {"metadata", "annotations", kTakeOverAnnotation}) != "true") released.reset();
  auto taken = last_write(object, {"f:metadata", "f:labels", label}, manager);
  if (taken && taken->manager != manager) taken.reset();
  for (const auto& since : {released, taken})
    if (since && since->time >= status->time) return "";
  return status->manager;
}

}  // namespace

RolloutObject summarize_rollout(const Json& object, std::string_view owner, std::string_view manager) {
  RolloutObject out{.uid = text_at(object, {"metadata", "uid"}),
                    .generation = integer_at(object, {"metadata", "generation"}).value_or(0),
                    .ours = text_at(object, {"metadata", "labels", kOwnerLabel}) == owner,
                    .scaled = scaled_to(object),
                    .driver = driver_of(object, manager)};
  if (const Json* status = find(object, {"status"})) out.status = dump(*status);
  return out;
}

}  // namespace reconciler
