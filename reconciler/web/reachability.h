// What readiness depends on beside the report: whether the outside world answered last time it was asked.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/time.h"

namespace reconciler {

struct ReachabilityFacts {
  std::optional<Duration> last_good_poll;  ///< on the monotonic clock; nothing before the first
  std::string record_trouble;              ///< why the last record was not made; empty when it was
  std::string api_trouble;                 ///< why the API server did not answer last; empty when it did
};

/// Written by the decorators around the ports, from any thread.
class Reachability {
 public:
  void polled_well(Duration at);
  void recorded(const std::string& trouble);
  void api_answered(const std::string& trouble);
  ReachabilityFacts facts() const;

 private:
  mutable std::mutex mutex_;
  ReachabilityFacts facts_;
};

}  // namespace reconciler
