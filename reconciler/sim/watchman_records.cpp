// What is recorded: read again at a start, complete, in order, and nothing that the rules do not allow.
#include <algorithm>

#include "base/format.h"
#include "daemon/desired_state.h"
#include "manifest/status_file.h"
#include "rollout/target.h"
#include "sim/watchman.h"

namespace reconciler {
namespace {

std::string subject_of(const SimCommit& commit) { return commit.message.substr(0, commit.message.find('\n')); }

bool is_broken(const std::string& image) { return image.find("broken") != image.npos; }

}  // namespace

/// Reading YAML is what a run spends most of its time with, and each text comes many times.
std::optional<Status> Watchman::parsed(const std::string& path, const std::string& text) {
  auto [place, is_new] = parsed_.try_emplace(text);
  if (is_new)
    if (auto status = read_status(path, text)) place->second = *status;
  return place->second;
}

/// A starting process must find what was recorded, unless the disk was lost, or somebody else wrote to a status file.
void Watchman::status_read(const std::vector<std::pair<std::string, std::string>>& files) {
  std::map<RolloutKey, Status> read;
  for (const auto& [path, text] : files) {
    auto key = key_of_record_path("status", "default", path);
    auto status = parsed(path, text);
    if (key && status) read[*key] = *status;
  }
  const bool took_over = decides_ && *decides_ != stage_.acting();
  if (took_over) check_takeover(files);
  decides_ = stage_.acting();
  const bool may_differ = std::exchange(may_forget_, false) || took_over || people_.touched_status();
  for (auto& [key, known] : known_) {
    auto found = read.find(key);
    const auto now = found == read.end() ? std::nullopt : std::optional(found->second);
    if (now == known.status) continue;
    if (!may_differ) alarm(key.text() + ": what was recorded is forgotten");
    known.status = now;
    known.subjects.clear();
    known.disturbed_in_run = true;
    keep_rejections(key, known);
  }
  for (auto& [key, status] : read) known_[key].status = status;
}

/// What another seat recorded and pushed must be known before anything is decided.
void Watchman::check_takeover(const std::vector<std::pair<std::string, std::string>>& files) {
  if (!expected_[stage_.acting()].empty() || people_.touched_status()) return;
  const SimTree& tree = *stage_.remote.commits.find(stage_.remote.branches.at("main"))->tree;
  for (const auto& [path, text] : files) {
    auto blob = tree.find(path);
    if (blob == tree.end() || stage_.remote.commits.blob(blob->second) != text)
      alarm(format("{} takes over without what was pushed about {}", Stage::identity(stage_.acting()), path));
  }
}

/// A rejection outlives its loss on the disk once it was pushed or the route is marked with it.
void Watchman::keep_rejections(const RolloutKey& key, Known& known) {
  std::set<std::string> kept;
  const std::string mark = view_of(stage_.world, key).mark;
  for (const std::string& hash : known.rejected)
    if (hash == mark || (known.status && is_rejected(*known.status, hash))) kept.insert(hash);
  known.rejected = std::move(kept);
}

void Watchman::recorded(const SimCommit& commit) {
  ++transitions_;
  check_lease(subject_of(commit));
  expected_[stage_.acting()].push_back(commit.serial);
  const SimCommit* parent = stage_.remote.commits.find(commit.parent);
  for (const auto& [path, blob] : *parent->tree)
    if (auto key = key_of_record_path("status", "default", path); key && !commit.tree->contains(path))
      check_retired(*key, known_[*key], subject_of(commit));
  for (const auto& [path, blob] : *commit.tree) {
    auto old = parent->tree->find(path);
    if (old != parent->tree->end() && old->second == blob) continue;
    auto key = key_of_record_path("status", "default", path);
    if (!key) {
      alarm(format("a status commit writes {}", path));
      continue;
    }
    auto status = parsed(path, stage_.remote.commits.blob(blob));
    if (!status) {
      alarm(format("a recorded status cannot be read: {}", path));
      continue;
    }
    Known& known = known_[*key];
    check_transition(*key, known, *status, subject_of(commit));
    check_run(*key, known.status.value_or(Status{}), *status, commit);
    check_policy(known.status.value_or(Status{}), *status, commit);
    check_freeze(*key, known.status.value_or(Status{}), *status, commit);
    known.status = *status;
  }
}

void Watchman::check_retired(const RolloutKey& rollout, Known& known, const std::string& subject) {
  passed(stage_.daemon().head());  // with nothing left of it, it retires in the pass that took its manifest away
  if (std::string why = not_deletable(rollout_object_key(rollout)); !why.empty())
    alarm(format("{}, but {}", subject, why));
  for (const auto& [hash, revision] : view_of(stage_.world, rollout).revisions)
    if (revision.owned) alarm(format("{}, but {} is left", subject, revision.name));
  known = Known{};
  known.disturbed_in_run = true;
}

void Watchman::check_transition(const RolloutKey& rollout, Known& known, const Status& next,
                                const std::string& subject) {
  const Status before = known.status.value_or(Status{});
  const bool runs =
      next.run && (!before.run || before.run->hash != next.run->hash || before.run->since != next.run->since);
  const bool begins =
      runs || subject.find(": deploying ") != subject.npos || subject.find(": adopting ") != subject.npos;
  if (begins) {
    known.subjects.clear();
    known.disturbed_in_run = is_disturbed(known);
  }
  const bool by_hand = subject.find(": paused ") != subject.npos || subject.find(": resumed ") != subject.npos ||
                       subject.find(": refused") != subject.npos || subject.find(": accepted") != subject.npos ||
                       subject.find(": experiment accepted") != subject.npos ||
                       subject.find(": retrying") != subject.npos;
  if (!known.subjects.insert(subject).second && !by_hand && !known.disturbed_in_run)
    alarm(format("twice in one run: {}", subject));
  // A person who steers, or pods that were lost, may bring the same place twice.
  const bool lost_pods = before.weight > 0 && next.weight == 0 && next.canary && next.returning.empty();
  if (by_hand || lost_pods) known.subjects.clear();
  if (next == before && known.status) alarm(format("a transition that changes nothing: {}", subject));
  const bool new_stable = next.stable && (!before.stable || before.stable->hash != next.stable->hash);
  if (new_stable && is_broken(next.stable->image) && replicas_wanted(rollout) > 0 && !is_disturbed(known))
    alarm(format("a failing image became stable: {}", subject));
  if (next.step && (next.step->index < 0 || next.step->index > next.step->count))
    alarm(format("step {} of {}: {}", next.step->index, next.step->count, subject));
  const bool same_steps = next.step && before.step && next.step->count == before.step->count;
  if (same_steps && !begins && next.step->index < before.step->index)
    alarm(format("steps went back from {} to {}: {}", before.step->index, next.step->index, subject));
  const bool marked = subject.find(": rejected before") != subject.npos;
  if (next.canary && before.canary && !begins && !marked && next.canary->hash != before.canary->hash)
    alarm(format("another canary without a beginning: {}", subject));
  for (const Rejected& r : next.rejected) {
    if (r.lapsed) known.rejected.erase(r.hash);
    if (!r.lapsed) known.rejected.insert(r.hash);
  }
}

/// An Experiment by itself ends once, and not before its time.
void Watchman::check_run(const RolloutKey& rollout, const Status& before, const Status& next, const SimCommit& record) {
  if (!next.run) return;
  const std::string subject = subject_of(record);
  if (next.stable || next.canary) alarm(format("an experiment with versions: {}", subject));
  const bool goes_on = before.run && before.run->hash == next.run->hash && before.run->since == next.run->since;
  if (before.run && before.run->hash == next.run->hash && !goes_on && !may_forget_ && !people_.touched_status())
    alarm(format("the same experiment is run again: {}", subject));
  if (goes_on && !before.run->ended.empty() && next.run != before.run)
    alarm(format("an experiment that was over goes on: {}", subject));
  if (!goes_on || next.run->ended.empty() || !before.run->ended.empty()) return;
  if (next.run->failed || next.decision != before.decision) return;
  passed(stage_.daemon_on(stage_.acting()).head());  // what it acts on may have come in this pass
  const auto wanted = wanted_lately(rollout);
  const bool may_end = std::any_of(wanted.begin(), wanted.end(), [&](const Rollout* asked) {
    if (!asked->standalone) return false;
    const auto& duration = asked->standalone->duration;
    return asked->standalone->terminate || (duration && next.experiment && record.time >= *next.experiment + *duration);
  });
  if (!may_end) alarm(format("an experiment ends before its time: {}", subject));
}

void Watchman::disk_lost(size_t seat) {
  expected_[seat].clear();
  may_forget_ = true;
}

/// Another seat went on from there.
void Watchman::dropped(const SimCommit& commit) {
  if (!stage_.elects() && !people_.touched_status())
    alarm(format("dropped although nobody else records: {}", subject_of(commit)));
  std::erase(expected_[stage_.acting()], commit.serial);
}

/// What became part of the remote's branch must be what was recorded: all of it, once, in order.
void Watchman::pushed() {
  const std::string tip = stage_.remote.branches.at("main");
  std::vector<int>& expected = expected_[stage_.acting()];
  check_lease("to the branch");
  for (const SimCommit* commit : stage_.remote.commits.after(pushed_tip_, tip)) {
    if (commit->serial == 0) continue;
    auto found = std::find(expected.begin(), expected.end(), commit->serial);
    if (found == expected.end()) {
      alarm(format("pushed twice, or never recorded: {}", subject_of(*commit)));
      continue;
    }
    if (found != expected.begin() && !people_.touched_status())
      alarm(format("pushed out of order, something recorded is lost: {}", subject_of(*commit)));
    expected.erase(expected.begin(), found + 1);
  }
  if (!expected.empty() && !people_.touched_status()) alarm("a push left recorded transitions behind");
  pushed_tip_ = tip;
}

}  // namespace reconciler
