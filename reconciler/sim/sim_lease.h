#pragma once

#include "cluster/kubernetes_lease.h"
#include "sim/world.h"

namespace reconciler {

/// The Lease port over an object in a world.
class SimLease : public Lease {
 public:
  explicit SimLease(World& world) : world_(world) {}

  bool unreachable = false;  ///< every call fails

  Result<std::optional<LeaseRecord>> read() override;
  Result<LeaseRecord> write(const LeaseRecord& record) override;

  /// Who holds it in the world, whatever anybody thinks; empty: nobody.
  static std::string holder_in(const World& world);
  /// Somebody deletes it.
  void remove();

 private:
  World& world_;
};

}  // namespace reconciler
