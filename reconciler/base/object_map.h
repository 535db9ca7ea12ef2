// A map from objects to what is kept of each, in order of key. Objects of one kind and namespace share what names both:
// with tens of thousands of them, keys would otherwise take more memory than what is kept.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "base/object_key.h"

namespace reconciler {

template <class Value>
class ObjectMap {
  using Family = std::tuple<std::string, std::string, std::string>;  // group, kind, namespace

 public:
  /// Null when there is none. Stays valid until that one is erased.
  Value* find(const ObjectKey& key) {
    auto family = families_.find(family_of(key));
    if (family == families_.end()) return nullptr;
    auto place = family->second.find(key.name);
    return place == family->second.end() ? nullptr : &place->second;
  }
  const Value* find(const ObjectKey& key) const { return const_cast<ObjectMap*>(this)->find(key); }
  bool contains(const ObjectKey& key) const { return find(key) != nullptr; }

  /// The one of that key, a new one when there is none.
  Value& operator[](const ObjectKey& key) { return family_at(key)->second[key.name]; }

  /// A key in the space of two pointers, for as long as what it names stands in the map.
  class Handle {
   public:
    ObjectKey key() const { return key_at(*family_, *name_); }

   private:
    friend ObjectMap;
    const Family* family_ = nullptr;
    const std::string* name_ = nullptr;
  };
  /// Of the one of that key, a new one when there is none.
  Handle handle(const ObjectKey& key) {
    auto family = family_at(key);
    Handle out;
    out.family_ = &family->first;
    out.name_ = &family->second.try_emplace(key.name).first->first;
    return out;
  }

  void erase(const ObjectKey& key) {
    auto family = families_.find(family_of(key));
    if (family == families_.end()) return;
    family->second.erase(key.name);
    if (family->second.empty()) families_.erase(family);
  }

  size_t size() const {
    size_t all = 0;
    for (const auto& [family, values] : families_) all += values.size();
    return all;
  }

  /// Calls `visit(key, value)` for each, in order of key.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const auto& [family, values] : families_)
      for (const auto& [name, value] : values) visit(key_at(family, name), value);
  }

 private:
  static ObjectKey key_at(const Family& family, const std::string& name) {
    const auto& [group, kind, ns] = family;
    return {group, kind, ns, name};
  }
  auto family_at(const ObjectKey& key) {
    auto family = families_.find(family_of(key));
    return family != families_.end() ? family : families_.try_emplace(Family(family_of(key))).first;
  }
  static std::tuple<const std::string&, const std::string&, const std::string&> family_of(const ObjectKey& key) {
    return {key.group, key.kind, key.ns};
  }
  std::map<Family, std::map<std::string, Value>, std::less<>> families_;
};

}  // namespace reconciler
