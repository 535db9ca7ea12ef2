#pragma once

#include <string>
#include <string_view>

#include "base/object_key.h"
#include "base/result.h"

namespace reconciler {

/// The part of everything that one daemon of several decides about: whole namespaces, by a hash of their names, so that
/// a rollout and the objects of its namespace are never parted.
struct Shard {
  int index = 0;  ///< from 0
  int count = 1;
  bool operator==(const Shard&) const = default;

  bool is_all() const { return count == 1; }
  bool owns(std::string_view ns) const;
  /// What belongs to no namespace goes with the first shard, a Namespace with what it holds.
  bool owns(const ObjectKey& key) const;
};

/// `0/3`, `1/3`, `2/3`; `Invalid` when it is none.
Result<Shard> parse_shard(const std::string& text);

}  // namespace reconciler
