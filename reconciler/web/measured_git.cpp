#include "web/measured_git.h"

#include <utility>

namespace reconciler {
namespace {

constexpr size_t kCommitTimesMax = 4096;

std::string_view result_of(const std::optional<ErrorKind>& error) {
  if (!error) return "success";
  switch (*error) {
    case ErrorKind::Transient: return "unreachable";
    case ErrorKind::Conflict: return "conflict";
    case ErrorKind::Invalid: return "refused";
  }
  unreachable();
}

template <class T>
std::optional<ErrorKind> error_in(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error().kind);
}

double seconds(TimePoint time) { return double(time.time_since_epoch().count()) / 1000; }

}  // namespace

std::optional<TimePoint> MeasuredGit::time_of(const std::string& commit) const {
  std::lock_guard lock(mutex_);
  auto time = commit_times_.find(commit);
  return time == commit_times_.end() ? std::nullopt : std::optional(time->second);
}

std::optional<TimePoint> MeasuredGit::unpushed_since() const {
  std::lock_guard lock(mutex_);
  return unpushed_since_;
}

void MeasuredGit::hook_came(std::string_view provider) {
  std::lock_guard lock(mutex_);
  hooks_.try_emplace(std::string(provider), clock_.monotonic());
}

Result<Head> MeasuredGit::poll() {
  const auto hooks = [&] {
    std::lock_guard lock(mutex_);
    return std::exchange(hooks_, {});
  }();
  const Duration began = clock_.monotonic();
  auto head = inner_.poll();
  const Duration now = clock_.monotonic();
  std::string result(result_of(error_in(head)));
  if (head && !head->complaint.empty()) result = "held";
  measurements_.add(Measure::GitPolls, {{"repo", names_.repo}, {"result", result}});
  measurements_.time(Measure::GitPollSeconds, {{"repo", names_.repo}, {"result", result}}, now - began);
  for (const auto& [provider, came] : hooks)
    measurements_.time(Measure::WebhookToSyncSeconds, {{"provider", provider}, {"result", result}}, now - came);
  if (!head) return head;
  health_.polled_well(now);
  measurements_.set(Measure::GitLastSuccess, {{"repo", names_.repo}}, seconds(clock_.now()));
  return head;
}

/// Who asks for the history of a file will want to know how long it took to follow it.
Result<std::vector<CommitInfo>> MeasuredGit::commits_touching(const std::string& path, const std::string& from,
                                                              const std::string& to, size_t limit) {
  auto commits = inner_.commits_touching(path, from, to, limit);
  if (!commits) return commits;
  std::lock_guard lock(mutex_);
  if (commit_times_.size() > kCommitTimesMax) commit_times_.clear();
  for (const CommitInfo& commit : *commits) commit_times_[commit.id] = commit.time;
  return commits;
}

Result<void> MeasuredGit::record(const std::vector<StatusWrite>& writes) {
  auto recorded = inner_.record(writes);
  health_.recorded(recorded ? "" : recorded.error().message);
  std::lock_guard lock(mutex_);
  if (recorded && !unpushed_since_) unpushed_since_ = clock_.now();
  return recorded;
}

Result<PushReport> MeasuredGit::push() {
  const TimePoint began = clock_.now();
  auto pushed = inner_.push();
  measurements_.add(Measure::GitPushes, {{"repo", names_.repo},
                                         {"target", pushed && pushed->commits == 0 ? "none" : "status"},
                                         {"result", std::string(result_of(error_in(pushed)))}});
  std::lock_guard lock(mutex_);
  failed_pushes_ = pushed ? 0 : failed_pushes_ + 1;
  measurements_.set(Measure::GitPushAttempts, {{"repo", names_.repo}}, failed_pushes_);
  // What was recorded in the meantime waits since then at the earliest.
  if (pushed) unpushed_since_ = inner_.unpushed() > 0 ? std::optional(began) : std::nullopt;
  return pushed;
}

}  // namespace reconciler
