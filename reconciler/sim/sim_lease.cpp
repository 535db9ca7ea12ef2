#include "sim/sim_lease.h"

namespace reconciler {
namespace {

const LeaseName kName = {.ns = "default", .name = "serin-serin"};

ResourcePath path_in(const World& world) {
  return {.type = world.catalogue().by_kind("coordination.k8s.io/v1", "Lease"), .ns = kName.ns, .name = kName.name};
}

Error lease_error_of(const ApiError& answer) {
  return answer.code == 409 || answer.code == 404 ? conflict(answer.message) : transient(answer.message);
}

Error no_way_there() { return transient("the API server cannot be reached"); }

}  // namespace

Result<std::optional<LeaseRecord>> SimLease::read() {
  if (unreachable) return no_way_there();
  auto object = world_.get(path_in(world_));
  if (!object) return std::optional<LeaseRecord>();
  return std::optional(lease_record(**object));
}

Result<LeaseRecord> SimLease::write(const LeaseRecord& record) {
  if (unreachable) return no_way_there();
  const Json object = lease_object(kName, record);
  auto stored = record.version.empty() ? world_.create(path_in(world_), object, {.manager = "serin"})
                                       : world_.update(path_in(world_), object, {.manager = "serin"});
  if (!stored) return lease_error_of(stored.error());
  return lease_record(**stored);
}

std::string SimLease::holder_in(const World& world) {
  auto object = world.get(path_in(world));
  return object ? lease_record(**object).holder : "";
}

void SimLease::remove() { (void)world_.remove(path_in(world_)); }  // gone already is as good

}  // namespace reconciler
