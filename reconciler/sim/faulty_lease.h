#pragma once

#include "lease.h"
#include "sim/faults.h"

namespace reconciler {

/// A lease whose calls go wrong.
class FaultyLease : public Lease {
 public:
  FaultyLease(Lease& inner, Faults& faults, const bool& cut_off) : inner_(inner), faults_(faults), cut_off_(cut_off) {}

  Result<std::optional<LeaseRecord>> read() override {
    if (faults_.cluster_down || cut_off_) return transient("read lease: no answer");
    return inner_.read();
  }
  Result<LeaseRecord> write(const LeaseRecord& record) override {
    if (faults_.cluster_down || cut_off_) return transient("write lease: no answer");
    return faults_.around<LeaseRecord>(faults_.mix().act, "lease", [&] { return inner_.write(record); });
  }

 private:
  Lease& inner_;
  Faults& faults_;
  const bool& cut_off_;
};

}  // namespace reconciler
