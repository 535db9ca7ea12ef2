// How often each source may ask: a bucket of tokens that fills with time. The number of sources is bounded; those
// beyond it share one bucket.
#pragma once

#include <map>
#include <string>

#include "base/time.h"

namespace reconciler {

class TokenBuckets {
 public:
  struct Limits {
    double per_second = 10;
    double burst = 20;
    size_t sources_max = 1024;
  };
  explicit TokenBuckets(Limits limits) : limits_(limits) {}

  /// Takes one token of this source; false when it has none left. `now` never goes back.
  bool take(const std::string& source, Duration now);

 private:
  struct Bucket {
    double tokens = 0;
    Duration since{0};
  };
  Bucket& bucket_of(const std::string& source, Duration now);
  double tokens_at(const Bucket& bucket, Duration now) const;

  Limits limits_;
  std::map<std::string, Bucket> buckets_;
};

}  // namespace reconciler
