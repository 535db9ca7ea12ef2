#include "objects/content.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>

namespace reconciler {
namespace {

constexpr std::array<std::string_view, 7> kBookkeeping{
    "resourceVersion", "generation", "managedFields", "creationTimestamp", "uid", "selfLink", "deletionTimestamp"};

bool is_bookkeeping(std::string_view name) {
  return std::find(kBookkeeping.begin(), kBookkeeping.end(), name) != kBookkeeping.end();
}

uint64_t mixed(uint64_t seed, uint64_t value) {
  seed ^= value + 0x9e3779b97f4a7c15u + (seed << 12) + (seed >> 4);
  return seed * 0xff51afd7ed558ccdu;
}

uint64_t digest_of(const Json& value) {
  uint64_t out = mixed(1, uint64_t(value.type()));
  if (value.is_object()) {
    for (const auto& [name, member] : value.items())
      out = mixed(mixed(out, std::hash<std::string_view>()(name)), digest_of(member));
  } else if (value.is_array()) {
    for (const Json& item : value) out = mixed(out, digest_of(item));
  } else if (value.is_string()) {
    out = mixed(out, std::hash<std::string_view>()(value.get_ref<const std::string&>()));
  } else if (value.is_number_float()) {
    out = mixed(out, std::hash<double>()(value.get<double>()));
  } else if (value.is_number()) {
    out = mixed(mixed(1, 7), uint64_t(value.get<int64_t>()));  // signed or not is an accident of parsing
  } else if (value.is_boolean()) {
    out = mixed(out, value.get<bool>());
  }
  return out;
}

}  // namespace

Json content_of(Json object) {
  if (!object.is_object()) return object;
  object.erase("status");
  if (auto metadata = object.find("metadata"); metadata != object.end() && metadata->is_object())
    for (std::string_view name : kBookkeeping) metadata->erase(std::string(name));
  return object;
}

uint64_t content_digest(const Json& object) {
  if (!object.is_object()) return digest_of(object);
  uint64_t out = 1;
  for (const auto& [name, member] : object.items()) {
    if (name == "status") continue;
    uint64_t inner = 1;
    if (name != "metadata" || !member.is_object()) {
      inner = digest_of(member);
    } else {
      for (const auto& [key, value] : member.items())
        if (!is_bookkeeping(key)) inner = mixed(mixed(inner, std::hash<std::string_view>()(key)), digest_of(value));
    }
    out = mixed(mixed(out, std::hash<std::string_view>()(name)), inner);
  }
  return out;
}

}  // namespace reconciler
