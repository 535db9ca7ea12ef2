#include "web/token_buckets.h"

#include <algorithm>

namespace reconciler {

double TokenBuckets::tokens_at(const Bucket& bucket, Duration now) const {
  return std::min(limits_.burst, bucket.tokens + limits_.per_second * double((now - bucket.since).count()) / 1000.0);
}

TokenBuckets::Bucket& TokenBuckets::bucket_of(const std::string& source, Duration now) {
  auto found = buckets_.find(source);
  if (found != buckets_.end()) return found->second;
  const Bucket full{.tokens = limits_.burst, .since = now};
  // A bucket that is full again is as good as none.
  if (buckets_.size() >= limits_.sources_max)
    std::erase_if(buckets_, [&](const auto& entry) { return tokens_at(entry.second, now) >= limits_.burst; });
  const bool others = buckets_.size() >= limits_.sources_max;
  return buckets_.emplace(others ? "" : source, full).first->second;
}

bool TokenBuckets::take(const std::string& source, Duration now) {
  Bucket& bucket = bucket_of(source, now);
  bucket.tokens = tokens_at(bucket, now);
  bucket.since = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

}  // namespace reconciler
