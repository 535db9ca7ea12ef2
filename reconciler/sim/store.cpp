#include "sim/store.h"

#include <algorithm>

namespace reconciler {
namespace {

std::vector<std::string> owners_of(const Json* object) {
  std::vector<std::string> uids;
  const Json* owners = object ? find(*object, {"metadata", "ownerReferences"}) : nullptr;
  if (owners && owners->is_array())
    for (const Json& owner : *owners) uids.push_back(text_at(owner, {"uid"}));
  return uids;
}

}  // namespace

Object Store::get(const ObjectRef& ref) const {
  auto type = objects_.find(ref.type);
  if (type == objects_.end()) return nullptr;
  auto ns = type->second.find(ref.ns);
  if (ns == type->second.end()) return nullptr;
  auto object = ns->second.find(ref.name);
  return object == ns->second.end() ? nullptr : object->second;
}

std::vector<Object> Store::list(const ResourceType& type, const std::string& ns) const {
  std::vector<Object> objects;
  visit_after(type, ns, "", "", [&](const Object& object) {
    objects.push_back(object);
    return true;
  });
  return objects;
}

void Store::visit_after(const ResourceType& type, const std::string& ns, const std::string& after_ns,
                        const std::string& after_name, const std::function<bool(const Object&)>& visit) const {
  auto found = objects_.find(&type);
  if (found == objects_.end()) return;
  const auto& spaces = found->second;
  for (auto space = spaces.lower_bound(ns.empty() ? after_ns : ns); space != spaces.end(); ++space) {
    if (!ns.empty() && space->first != ns) return;
    auto at = space->first == after_ns ? space->second.upper_bound(after_name) : space->second.begin();
    for (; at != space->second.end(); ++at)
      if (!visit(at->second)) return;
  }
}

size_t Store::count(const ResourceType& type) const {
  size_t sum = 0;
  if (auto found = objects_.find(&type); found != objects_.end())
    for (const auto& [ns, names] : found->second) sum += names.size();
  return sum;
}

Object Store::put(const ObjectRef& ref, Json object) {
  ++version_;
  object["metadata"]["resourceVersion"] = std::to_string(version_);
  Object& place = objects_[ref.type][ref.ns][ref.name];
  Object previous = place;
  place = std::make_shared<const Json>(std::move(object));
  Object stored = place;
  index(ref, previous.get(), stored.get());
  publish({previous ? StoreEvent::Kind::Modified : StoreEvent::Kind::Added, version_, ref.type, stored, previous});
  return stored;
}

void Store::erase(const ObjectRef& ref) {
  Object previous = get(ref);
  if (!previous) return;
  ++version_;
  auto& spaces = objects_[ref.type];
  auto space = spaces.find(ref.ns);
  space->second.erase(ref.name);
  if (space->second.empty()) spaces.erase(space);
  index(ref, previous.get(), nullptr);
  Json last = *previous;
  last["metadata"]["resourceVersion"] = std::to_string(version_);
  publish({StoreEvent::Kind::Deleted, version_, ref.type, std::make_shared<const Json>(std::move(last)), previous});
}

void Store::index(const ObjectRef& ref, const Json* before, const Json* after) {
  if (!before) by_uid_[text_at(*after, {"metadata", "uid"})] = ref;
  if (!after) by_uid_.erase(text_at(*before, {"metadata", "uid"}));
  auto old_owners = owners_of(before), new_owners = owners_of(after);
  if (old_owners == new_owners) return;
  for (const std::string& uid : old_owners) {
    auto found = dependents_.find(uid);
    if (found == dependents_.end()) continue;
    found->second.erase(ref);
    if (found->second.empty()) dependents_.erase(found);
  }
  for (const std::string& uid : new_owners) dependents_[uid].insert(ref);
}

void Store::publish(StoreEvent event) {
  History& log = history_[event.type];
  log.events.push_back(event);
  if (log.events.size() > history_per_type_) {
    log.forgotten = log.events.front().version;
    log.events.pop_front();
  }
  for (const auto& [id, subscriber] : subscribers_) subscriber(event);
}

Answer<std::vector<StoreEvent>> Store::events_after(const ResourceType& type, uint64_t version) const {
  if (version < compacted_) return too_old(version, compacted_);
  std::vector<StoreEvent> events;
  auto found = history_.find(&type);
  if (found == history_.end()) return events;
  const History& log = found->second;
  if (version < log.forgotten) return too_old(version, log.forgotten);
  auto from = std::upper_bound(log.events.begin(), log.events.end(), version,
                               [](uint64_t v, const StoreEvent& event) { return v < event.version; });
  events.assign(from, log.events.end());
  return events;
}

void Store::compact(uint64_t version) {
  compacted_ = std::max(compacted_, version);
  for (auto& [type, log] : history_)
    while (!log.events.empty() && log.events.front().version <= version) log.events.pop_front();
}

int Store::subscribe(Subscriber subscriber) {
  subscribers_.emplace(next_subscriber_, std::move(subscriber));
  return next_subscriber_++;
}

void Store::unsubscribe(int id) { subscribers_.erase(id); }

std::vector<ObjectRef> Store::dependents(const std::string& uid) const {
  auto found = dependents_.find(uid);
  if (found == dependents_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

const ObjectRef* Store::by_uid(const std::string& uid) const {
  auto found = by_uid_.find(uid);
  return found == by_uid_.end() ? nullptr : &found->second;
}

}  // namespace reconciler
