#include "sim/records.h"

#include <algorithm>
#include <cstdio>

namespace reconciler {
namespace {

constexpr std::string_view kForeground = "foregroundDeletion";

bool same_but_for(const Json& a, const Json& b, std::initializer_list<std::string_view> members) {
  auto skipped = [&](const std::string& name) {
    return std::find(members.begin(), members.end(), name) != members.end();
  };
  for (const auto& [name, value] : a.items())
    if (!skipped(name) && (!b.contains(name) || b[name] != value)) return false;
  for (const auto& [name, value] : b.items())
    if (!skipped(name) && !a.contains(name)) return false;
  return true;
}

bool has_finalizers(const Json& object) {
  const Json* finalizers = find(object, {"metadata", "finalizers"});
  return finalizers && finalizers->is_array() && !finalizers->empty();
}

Json without_owner(const Json& object, const std::string& uid) {
  Json left = object;
  Json owners = Json::array();
  for (const Json& owner : object["metadata"]["ownerReferences"])
    if (text_at(owner, {"uid"}) != uid) owners.push_back(owner);
  if (owners.empty())
    left["metadata"].erase("ownerReferences");
  else
    left["metadata"]["ownerReferences"] = owners;
  return left;
}

}  // namespace

Json Records::as_created(const ObjectRef& ref, Json object) {
  Json& metadata = object["metadata"];
  metadata["name"] = ref.name;
  if (ref.type->namespaced)
    metadata["namespace"] = ref.ns;
  else
    metadata.erase("namespace");
  metadata["uid"] = new_uid();
  metadata["creationTimestamp"] = format_time(now_);
  for (auto name : {"resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink"})
    metadata.erase(name);
  if (ref.type->has_generation) metadata["generation"] = 1;
  return object;
}

Json Records::as_replaced(const ResourceType& type, const Json& live, Json object) const {
  Json& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = Json::object();
  for (auto name : {"name", "namespace", "uid", "creationTimestamp", "resourceVersion", "deletionTimestamp",
                    "deletionGracePeriodSeconds", "generation", "generateName"}) {
    const Json* kept = find(live, {"metadata", name});
    if (kept)
      metadata[name] = *kept;
    else
      metadata.erase(name);
  }
  metadata.erase("selfLink");
  if (type.has_generation && !(type.has_status ? same_but_for(live, object, {"metadata", "status"})
                                               : same_but_for(live, object, {"metadata"})))
    metadata["generation"] = integer_at(live, {"metadata", "generation"}).value_or(0) + 1;
  return object;
}

Object Records::replace(const ObjectRef& ref, Json object) {
  Object live = store_.get(ref);
  Json next = as_replaced(*ref.type, *live, std::move(object));
  if (next == *live) return live;
  if (find(next, {"metadata", "deletionTimestamp"}) && !has_finalizers(next) && ref.type->kind != "Namespace") {
    store_.erase(ref);
    return std::make_shared<const Json>(std::move(next));
  }
  return store_.put(ref, std::move(next));
}

Object Records::set_status(const ObjectRef& ref, Json status) {
  Object live = store_.get(ref);
  if (!live) return nullptr;
  if (const Json* old = find(*live, {"status"}); old && *old == status) return live;
  Json next = *live;
  next["status"] = std::move(status);
  return replace(ref, std::move(next));
}

Object Records::remove(const ObjectRef& ref, Propagation propagation) {
  Object live = store_.get(ref);
  if (!live) return nullptr;
  std::string uid = text_at(*live, {"metadata", "uid"});
  if (propagation == Propagation::Orphan)
    for (const ObjectRef& dependent : store_.dependents(uid))
      if (Object object = store_.get(dependent)) replace(dependent, without_owner(*object, uid));

  bool is_namespace = ref.type->kind == "Namespace";
  bool wait = propagation == Propagation::Foreground;
  if (!is_namespace && !wait && !has_finalizers(*live)) {
    store_.erase(ref);
    return nullptr;
  }
  Json next = *live;
  Json& metadata = next["metadata"];
  if (!metadata.contains("deletionTimestamp")) {
    metadata["deletionTimestamp"] = format_time(now_);
    if (!is_namespace) metadata["deletionGracePeriodSeconds"] = 0;
    if (ref.type->has_generation)
      metadata["generation"] = integer_at(*live, {"metadata", "generation"}).value_or(0) + 1;
  }
  if (is_namespace) next["status"]["phase"] = "Terminating";
  if (wait) {
    if (!metadata.contains("finalizers")) metadata["finalizers"] = Json::array();
    Json& finalizers = metadata["finalizers"];
    if (std::find(finalizers.begin(), finalizers.end(), kForeground) == finalizers.end())
      finalizers.push_back(kForeground);
  }
  return next == *live ? live : store_.put(ref, std::move(next));
}

uint64_t Records::draw() {  // splitmix64 over a counter: distinct, and the same in every run
  uint64_t z = seed_ + 0x9e3779b97f4a7c15ULL * ++drawn_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::string Records::new_uid() {
  uint64_t a = draw(), b = draw();
  char text[40];
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-%04x-%012llx", unsigned(a >> 32), unsigned(a >> 16 & 0xffff),
                unsigned(a & 0xfff), unsigned(b >> 48 & 0x3fff) | 0x8000u,
                static_cast<unsigned long long>(b & 0xffffffffffffULL));
  return text;
}

std::string Records::new_suffix() {
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  uint64_t number = draw();
  std::string suffix;
  for (int i = 0; i < 5; ++i, number /= kLetters.size()) suffix += kLetters[number % kLetters.size()];
  return suffix;
}

}  // namespace reconciler
