#include "daemon/shard.h"

#include <charconv>
#include <cstdint>

#include "base/format.h"

namespace reconciler {
namespace {

constexpr int kShardsMax = 100;

/// FNV-1a, mixed once more so that names that differ in their last letter do not follow each other. It must never
/// change: all daemons of a cluster, old and new, have to agree.
uint64_t hash(std::string_view text) {
  uint64_t value = 0xcbf29ce484222325u;
  for (unsigned char c : text) value = (value ^ c) * 0x100000001b3u;
  value = (value ^ (value >> 33)) * 0xff51afd7ed558ccdu;
  return value ^ (value >> 33);
}

/// -1 when it is no number.
int number_in(std::string_view text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

}  // namespace

bool Shard::owns(std::string_view ns) const { return is_all() || int(hash(ns) % uint64_t(count)) == index; }

bool Shard::owns(const ObjectKey& key) const {
  if (!key.ns.empty()) return owns(key.ns);
  return key.kind == "Namespace" && key.group.empty() ? owns(key.name) : index == 0;
}

Result<Shard> parse_shard(const std::string& text) {
  const size_t slash = text.find('/');
  const std::string_view all = text;
  const Shard shard{.index = number_in(all.substr(0, slash)),
                    .count = slash == all.npos ? -1 : number_in(all.substr(slash + 1))};
  if (shard.index < 0 || shard.count < 0)
    return invalid(format("--shard must be INDEX/COUNT such as 0/3, got '{}'", text));
  if (shard.count > kShardsMax || shard.index >= shard.count)
    return invalid(format("--shard {}: the index counts from 0 and must be below the count, which is at most {}", text,
                          kShardsMax));
  return shard;
}

}  // namespace reconciler
