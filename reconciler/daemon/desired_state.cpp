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

const Rollout* find_rollout(const std::vector<Rollout>& among, const RolloutKey& key) {
  auto found = std::find_if(among.begin(), among.end(), [&](const Rollout& r) { return r.key == key; });
  return found == among.end() ? nullptr : &*found;
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

DesiredState::Touched DesiredState::put(const std::string& path, ManifestFile read, std::vector<Rollout> kept) {
  problems_.erase(path);
  if (!read.problems.empty()) {
    problems_[path] = std::move(read.problems);
    return {};
  }
  File file{.rollouts = std::move(read.rollouts), .refused = std::move(read.refused)};
  file.rollouts.shrink_to_fit();
  for (const RolloutAt& at : read.rollout_lines)
    if (at.prune != PruneMark::None) file.marks[rollout_object_key(at.key)] = at.prune;
  std::map<ObjectKey, std::string> objects;
  for (PlainObject& object : read.objects) {
    kinds_[{object.key.group, object.key.kind}].api_version = text_at(object.object, {"apiVersion"});
    if (PruneMark mark = prune_mark(object.object); mark != PruneMark::None) file.marks[object.key] = mark;
    if (!objects.emplace(object.key, dump(object.object)).second)
      problems_[path].push_back({path, object.line, 0, format("{} stands in this file twice", object.key.text())});
  }
  // The file as a whole is in force or not: half of it would be a state nobody asked for.
  if (problems_.contains(path)) return {};
  for (const RefusedRollout& refused : file.refused) {
    const Rollout* last_good = nullptr;
    if (auto before = files_.find(path); before != files_.end())
      for (const auto* known : {&before->second.kept, &before->second.rollouts})
        if (const Rollout* found = find_rollout(*known, refused.key)) last_good = found;
    if (!last_good) last_good = find_rollout(kept, refused.key);
    if (last_good) file.kept.push_back(*last_good);
  }
  Touched touched = remove(path);
  touched.add(index(*files_.emplace(path, std::move(file)).first, std::move(objects)));
  return touched;
}

DesiredState::Touched DesiredState::remove(const std::string& path) {
  problems_.erase(path);
  auto file = files_.find(path);
  if (file == files_.end()) return {};
  Touched touched = unindex(*file);
  files_.erase(file);
  return touched;
}

/// A file claims an object once, however often it names it: a Rollout that is published is an object too.
DesiredState::Claim& DesiredState::claim(const ObjectKey& key, const Files::value_type& file) {
  auto& claims = named_[key].claims;
  auto place = std::lower_bound(claims.begin(), claims.end(), file.first,
                                [](const Claim& at, const std::string& path) { return at.file->first < path; });
  if (place != claims.end() && place->file == &file) return *place;
  return *claims.insert(place, {.file = &file});
}

/// Forgets the object when nothing is left to know of it.
template <class Change>
void DesiredState::change(const ObjectKey& key, Change change) {
  Named* named = named_.find(key);
  // A published Rollout stands among the rollouts and among the objects of its file.
  if (!named) return;
  change(*named);
  if (named->claims.empty() && named->users.empty() && named->makers == 0) named_.erase(key);
}

void DesiredState::add_user(const Rollout& rollout) {
  for (const ObjectKey& used : used_by(rollout)) named_[used].users.push_back(&rollout);
  for (const FollowedKind& kind : route_kinds(rollout)) ++route_kinds_[kind];
}

void DesiredState::remove_user(const Rollout& rollout) {
  for (const ObjectKey& used : used_by(rollout)) change(used, [&](Named& named) { std::erase(named.users, &rollout); });
  for (const FollowedKind& kind : route_kinds(rollout)) --route_kinds_.at(kind);
}

DesiredState::Touched DesiredState::index(Files::value_type& at, std::map<ObjectKey, std::string> objects) {
  File& file = at.second;
  Touched touched;
  for (const Rollout& r : file.rollouts) {
    claim(rollout_object_key(r.key), at);
    add_user(r);
    for (const ObjectKey& key : made_for(r)) {
      if (++named_[key].makers == 1) made_.insert(key);
      touched.made.insert(key);
    }
    touched.rollouts.insert(r.key);
  }
  for (const Rollout& r : file.kept) add_user(r);
  for (const RefusedRollout& r : file.refused) {
    claim(rollout_object_key(r.key), at);
    ++refused_[r.key];
    touched.rollouts.insert(r.key);
  }
  file.objects.reserve(objects.size());
  for (auto& [key, text] : objects) {
    text.shrink_to_fit();
    claim(key, at).text = std::move(text);
    file.objects.push_back(named_.handle(key));
    ++kinds_[{key.group, key.kind}].objects;
    touched.objects.insert(key);
  }
  return touched;
}

DesiredState::Touched DesiredState::unindex(const Files::value_type& at) {
  const File& file = at.second;
  Touched touched;
  auto forget = [&](const ObjectKey& key) {
    change(key,
           [&](Named& named) { std::erase_if(named.claims, [&](const Claim& claim) { return claim.file == &at; }); });
  };
  for (auto handle : file.objects) {
    const ObjectKey key = handle.key();
    --kinds_.at({key.group, key.kind}).objects;
    touched.objects.insert(key);
    if (!is_rollout(key)) forget(key);
  }
  for (const Rollout& r : file.rollouts) {
    forget(rollout_object_key(r.key));
    remove_user(r);
    for (const ObjectKey& key : made_for(r)) {
      change(key, [&](Named& named) {
        if (--named.makers == 0) made_.erase(key);
      });
      touched.made.insert(key);
    }
    touched.rollouts.insert(r.key);
  }
  for (const Rollout& r : file.kept) remove_user(r);
  for (const RefusedRollout& r : file.refused) {
    forget(rollout_object_key(r.key));
    if (auto refused = refused_.find(r.key); --refused->second == 0) refused_.erase(refused);
    touched.rollouts.insert(r.key);
  }
  return touched;
}

bool DesiredState::names(const ObjectKey& key) const {
  const Named* named = named_.find(key);
  return named && !named->claims.empty();
}

const DesiredState::Claim* DesiredState::only_claim(const ObjectKey& key) const {
  const Named* named = named_.find(key);
  return named && named->claims.size() == 1 ? &named->claims.front() : nullptr;
}

const DesiredState::File* DesiredState::only_file_of(const ObjectKey& key) const {
  const Claim* claim = only_claim(key);
  return claim ? &claim->file->second : nullptr;
}

const Rollout* DesiredState::rollout(const RolloutKey& key) const {
  const File* file = only_file_of(rollout_object_key(key));
  if (!file) return nullptr;
  return find_rollout(file->rollouts, key);
}

const Rollout* DesiredState::kept(const RolloutKey& key) const {
  const File* file = only_file_of(rollout_object_key(key));
  return file ? find_rollout(file->kept, key) : nullptr;
}

const RefusedRollout* DesiredState::refused(const RolloutKey& key) const {
  const File* file = only_file_of(rollout_object_key(key));
  if (!file) return nullptr;
  auto found = std::find_if(file->refused.begin(), file->refused.end(), [&](auto& r) { return r.key == key; });
  return found == file->refused.end() ? nullptr : &*found;
}

std::set<std::string> DesiredState::paths_of(const ObjectKey& key) const {
  std::set<std::string> paths;
  if (const Named* named = named_.find(key))
    for (const Claim& claim : named->claims) paths.insert(claim.file->first);
  return paths;
}

std::string DesiredState::path_of(const ObjectKey& key) const {
  const Claim* claim = only_claim(key);
  return claim ? claim->file->first : "";
}

std::optional<Json> DesiredState::object(const ObjectKey& key) const {
  const Claim* claim = only_claim(key);
  return claim && !claim->text.empty() ? std::optional(Json::parse(claim->text)) : std::nullopt;
}

std::string DesiredState::object_text(const ObjectKey& key) const {
  const Claim* claim = only_claim(key);
  return claim ? claim->text : "";
}

std::optional<InventoryEntry> DesiredState::entry(const ObjectKey& key) const {
  const Named* named = named_.find(key);
  if (!named) return std::nullopt;
  if (named->claims.empty() && named->makers > 0) return InventoryEntry{.key = key, .version = version_of_route(key)};
  if (named->claims.empty()) return std::nullopt;
  const Claim& claim = named->claims.front();
  const File& file = claim.file->second;
  InventoryEntry out{.key = key, .version = "v1alpha1"};
  if (auto mark = file.marks.find(key); mark != file.marks.end()) out.mark = mark->second;
  if (!claim.text.empty()) out.version = version_in(claim.text);
  for (const Rollout& r : file.rollouts)
    if (rollout_object_key(r.key) == key && !(r.stable_service + r.canary_service).empty())
      out.services = {r.stable_service, r.canary_service};
  return out;
}

std::set<RolloutKey> DesiredState::users_of(const ObjectKey& key) const {
  std::set<RolloutKey> out;
  if (const Named* named = named_.find(key))
    for (const Rollout* user : named->users) out.insert(user->key);
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

std::vector<ObjectKey> DesiredState::made() const { return {made_.begin(), made_.end()}; }

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
    for (auto handle : file.objects) keys.push_back(handle.key());
  return keys;
}

}  // namespace reconciler
