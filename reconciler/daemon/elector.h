// Stands for election: reads the lease while somebody else holds it, takes it when it is free, renews it while it is
// ours. Calls block, so it has a thread of its own: a long pass or a slow write must not cost the lease.
#pragma once

#include <optional>
#include <string>

#include "daemon/election.h"
#include "daemon/leadership.h"
#include "lease.h"

namespace reconciler {

class Elector {
 public:
  /// `me`: the identity of this daemon, the same after a restart.
  Elector(Lease& lease, Clock& clock, Leadership& leadership, std::string me, LeaseTerms terms = {});

  /// Does what is due now and returns when to be called again, on the monotonic clock.
  Duration step();

  /// At a clean exit: the next one need not wait. Nothing when the lease is not ours.
  void release();

 private:
  bool look();
  void claim(Duration now);
  void take_over(const LeaseRecord& record, Duration sent);
  void fail(const Error& error);

  Lease& lease_;
  Clock& clock_;
  Leadership& leadership_;
  const std::string me_;
  const LeaseTerms terms_;
  std::optional<Sighting> seen_;
  bool certain_ = false;  ///< `seen_` is ours and the newest: it can be replaced without a look
  std::string said_;
  Duration due_{0};
};

}  // namespace reconciler
