#include "daemon/desired_state.h"

#include <algorithm>

#include "base/format.h"
#include "daemon/route_kinds.h"
#include "manifest/workload_ref.h"
#include "rollout/routing.h"

namespace reconciler {

namespace {

/// `v1` of an object's text, which begins with it unless somebody invented a member that sorts before.
std::string version_in(const std::string& text) {
  constexpr std::string_view kStart = "{\"apiVersion\":\"";
  std::string version;
  if (text.starts_with(kStart)) {
    version = text.substr(kStart.size(), text.find('"', kStart.size()) - kStart.size());
  } else {
    version = text_at(Json::parse(text), {"apiVersion"});
  }
  return version.substr(version.find('/') + 1);
}

}  // namespace

std::vector<ObjectKey> DesiredState::made_for(const Rollout& rollout) {
  std::vector<ObjectKey> out;
  for (const RouteObject& object : route_objects(rollout))
    if (object.use == RouteUse::Made) out.push_back(object.key);
  return out;
}

ObjectKey rollout_object_key(const RolloutKey& key) { return {"argoproj.io", "Rollout", key.ns, key.name}; }

bool is_rollout(const ObjectKey& key) { return key.group == "argoproj.io" && key.kind == "Rollout"; }

void DesiredState::Touched::add(const Touched& other) {
  rollouts.insert(other.rollouts.begin(), other.rollouts.end());
  objects.insert(other.objects.begin(), other.objects.end());
  made.insert(other.made.begin(), other.made.end());
}

DesiredState::Touched DesiredState::put(const std::string& path, ManifestFile read) {
  problems_.erase(path);
  if (!read.problems.empty()) {
    problems_[path] = std::move(read.problems);
    return {};
  }
  File file{.rollouts = std::move(read.rollouts), .refused = std::move(read.refused)};
  for (const RolloutAt& at : read.rollout_lines)
    if (at.prune != PruneMark::None) file.marks[rollout_object_key(at.key)] = at.prune;
  for (PlainObject& object : read.objects) {
    kinds_[{object.key.group, object.key.kind}].api_version = text_at(object.object, {"apiVersion"});
    if (PruneMark mark = prune_mark(object.object); mark != PruneMark::None) file.marks[object.key] = mark;
    if (!file.objects.emplace(object.key, dump(object.object)).second)
      problems_[path].push_back({path, object.line, 0, format("{} stands in this file twice", object.key.text())});
  }
  // The file as a whole is in force or not: half of it would be a state nobody asked for.
  if (problems_.contains(path)) return {};
  Touched touched = remove(path);
  touched.add(index(path, file));
  files_[path] = std::move(file);
  return touched;
}

DesiredState::Touched DesiredState::remove(const std::string& path) {
  problems_.erase(path);
  auto file = files_.find(path);
  if (file == files_.end()) return {};
  Touched touched = unindex(path, file->second);
  files_.erase(file);
  return touched;
}

DesiredState::Touched DesiredState::index(const std::string& path, const File& file) {
  Touched touched;
  for (const Rollout& r : file.rollouts) {
    paths_[rollout_object_key(r.key)].insert(path);
    for (const ObjectKey& used : used_by(r)) ++users_[used][r.key];
    for (const FollowedKind& kind : route_kinds(r)) ++route_kinds_[kind];
    for (const ObjectKey& key : made_for(r)) {
      ++made_[key];
      touched.made.insert(key);
    }
    touched.rollouts.insert(r.key);
  }
  for (const RefusedRollout& r : file.refused) {
    paths_[rollout_object_key(r.key)].insert(path);
    ++refused_[r.key];
    touched.rollouts.insert(r.key);
  }
  for (const auto& [key, text] : file.objects) {
    paths_[key].insert(path);
    ++kinds_[{key.group, key.kind}].objects;
    touched.objects.insert(key);
  }
  return touched;
}

DesiredState::Touched DesiredState::unindex(const std::string& path, const File& file) {
  Touched touched;
  auto forget = [&](const ObjectKey& key) {
    auto paths = paths_.find(key);
    // A published Rollout stands among the rollouts and among the objects of its file.
    if (paths == paths_.end()) return;
    paths->second.erase(path);
    if (paths->second.empty()) paths_.erase(paths);
  };
  for (const Rollout& r : file.rollouts) {
    forget(rollout_object_key(r.key));
    for (const ObjectKey& used : used_by(r)) {
      auto users = users_.find(used);
      if (--users->second.at(r.key) > 0) continue;
      users->second.erase(r.key);
      if (users->second.empty()) users_.erase(users);
    }
    for (const FollowedKind& kind : route_kinds(r)) --route_kinds_.at(kind);
    for (const ObjectKey& key : made_for(r)) {
      if (auto made = made_.find(key); --made->second == 0) made_.erase(made);
      touched.made.insert(key);
    }
    touched.rollouts.insert(r.key);
  }
  for (const RefusedRollout& r : file.refused) {
    forget(rollout_object_key(r.key));
    if (auto refused = refused_.find(r.key); --refused->second == 0) refused_.erase(refused);
    touched.rollouts.insert(r.key);
  }
  for (const auto& [key, text] : file.objects) {
    forget(key);
    --kinds_.at({key.group, key.kind}).objects;
    touched.objects.insert(key);
  }
  return touched;
}

const DesiredState::File* DesiredState::only_file_of(const ObjectKey& key) const {
  auto paths = paths_.find(key);
  if (paths == paths_.end() || paths->second.size() != 1) return nullptr;
  return &files_.at(*paths->second.begin());
}

const Rollout* DesiredState::rollout(const RolloutKey& key) const {
  const File* file = only_file_of(rollout_object_key(key));
  if (!file) return nullptr;
  auto found = std::find_if(file->rollouts.begin(), file->rollouts.end(), [&](auto& r) { return r.key == key; });
  return found == file->rollouts.end() ? nullptr : &*found;
}

const RefusedRollout* DesiredState::refused(const RolloutKey& key) const {
  const File* file = only_file_of(rollout_object_key(key));
  if (!file) return nullptr;
  auto found = std::find_if(file->refused.begin(), file->refused.end(), [&](auto& r) { return r.key == key; });
  return found == file->refused.end() ? nullptr : &*found;
}

std::set<std::string> DesiredState::paths_of(const ObjectKey& key) const {
  auto paths = paths_.find(key);
  return paths == paths_.end() ? std::set<std::string>{} : paths->second;
}

std::string DesiredState::path_of(const ObjectKey& key) const {
  auto paths = paths_.find(key);
  return paths != paths_.end() && paths->second.size() == 1 ? *paths->second.begin() : "";
}

std::optional<Json> DesiredState::object(const ObjectKey& key) const {
  const File* file = only_file_of(key);
  if (!file) return std::nullopt;
  auto text = file->objects.find(key);
  if (text == file->objects.end()) return std::nullopt;
  return Json::parse(text->second);
}

std::optional<InventoryEntry> DesiredState::entry(const ObjectKey& key) const {
  auto paths = paths_.find(key);
  if (paths == paths_.end() && made_.contains(key)) return InventoryEntry{.key = key, .version = version_of_route(key)};
  if (paths == paths_.end()) return std::nullopt;
  const File& file = files_.at(*paths->second.begin());
  InventoryEntry out{.key = key, .version = "v1alpha1"};
  if (auto mark = file.marks.find(key); mark != file.marks.end()) out.mark = mark->second;
  if (auto object = file.objects.find(key); object != file.objects.end()) out.version = version_in(object->second);
  for (const Rollout& r : file.rollouts)
    if (rollout_object_key(r.key) == key && !(r.stable_service + r.canary_service).empty())
      out.services = {r.stable_service, r.canary_service};
  return out;
}

std::set<RolloutKey> DesiredState::users_of(const ObjectKey& key) const {
  std::set<RolloutKey> out;
  if (auto users = users_.find(key); users != users_.end())
    for (const auto& [user, files] : users->second) out.insert(user);
  return out;
}

std::set<ObjectKey> DesiredState::used_by(const Rollout& rollout) {
  std::set<ObjectKey> out;
  for (const std::string& name : {rollout.stable_service, rollout.canary_service})
    if (!name.empty()) out.insert({"", "Service", rollout.key.ns, name});
  if (rollout.workload_ref) out.insert(workload_key(rollout));
  for (const RouteObject& object : route_objects(rollout)) out.insert(object.key);
  return out;
}

std::set<RolloutKey> DesiredState::rollouts() const {
  std::set<RolloutKey> keys;
  for (const auto& [path, file] : files_) {
    for (const Rollout& r : file.rollouts) keys.insert(r.key);
    for (const RefusedRollout& r : file.refused) keys.insert(r.key);
  }
  return keys;
}

std::optional<RolloutKey> DesiredState::refused_in(const std::string& ns) const {
  auto first = refused_.lower_bound({ns, ""});
  return first != refused_.end() && first->first.ns == ns ? std::optional(first->first) : std::nullopt;
}

std::vector<ObjectKey> DesiredState::made() const {
  std::vector<ObjectKey> keys;
  for (const auto& [key, rollouts] : made_) keys.push_back(key);
  return keys;
}

std::set<FollowedKind> DesiredState::kinds() const {
  std::set<FollowedKind> out;
  for (const auto& [name, named] : kinds_)
    if (named.objects > 0) out.insert({.api_version = named.api_version, .kind = name.second});
  for (const auto& [kind, rollouts] : route_kinds_)
    if (rollouts > 0) out.insert(kind);
  return out;
}

std::map<std::string, size_t> DesiredState::object_counts() const {
  std::map<std::string, size_t> counts;
  for (const auto& [name, named] : kinds_)
    if (named.objects > 0) counts[name.second] += named.objects;
  return counts;
}

std::vector<ObjectKey> DesiredState::objects() const {
  std::vector<ObjectKey> keys;
  for (const auto& [path, file] : files_)
    for (const auto& [key, text] : file.objects) keys.push_back(key);
  return keys;
}

}  // namespace reconciler
