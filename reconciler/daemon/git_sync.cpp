#include "daemon/git_sync.h"

#include "base/format.h"
#include "base/log.h"

namespace reconciler {
namespace {

constexpr Duration kPollSpacing = 1s;
constexpr Duration kPushSpacing = 10s;
constexpr Duration kRefusedWait = 10min;
constexpr int kRaceTries = 10;
constexpr size_t kUnpushedMany = 10'000;

}  // namespace

GitSync::GitSync(GitRepository& git, Clock& clock, Workers& workers, Duration interval,
                 std::function<void(const std::string&)> on_head)
    : git_(git), clock_(clock), workers_(workers), interval_(interval), on_head_(std::move(on_head)) {
  poll_at_ = clock_.monotonic();
}

void GitSync::run_due() {
  const Duration now = clock_.monotonic();
  if (!polling_ && now >= poll_at_) {
    polling_ = true;
    last_poll_ = now;
    workers_.run(Lane::Git, [this]() -> Completion { return [this, head = git_.poll()] { finish_poll(head); }; });
  }
  if (!pushing_ && !pushes_paused_ && push_at_ && now >= *push_at_) {
    pushing_ = true;
    push_at_.reset();
    workers_.run(Lane::Git, [this]() -> Completion { return [this, pushed = git_.push()] { finish_push(pushed); }; });
  }
}

Duration GitSync::next_due() const {
  Duration due = Duration::max();
  if (!polling_) due = poll_at_;
  if (!pushing_ && !pushes_paused_ && push_at_) due = std::min(due, *push_at_);
  return due;
}

void GitSync::poll_soon() {
  if (polling_) {
    poll_again_ = true;
  } else {
    poll_at_ = std::min(poll_at_, std::max(clock_.monotonic(), last_poll_ + kPollSpacing));
  }
}

void GitSync::poll_afresh() {
  poll_again_ = polling_;
  poll_at_ = clock_.monotonic();
}

void GitSync::pause_pushes() {
  pushes_paused_ = true;
  push_at_.reset();
  push_trouble_.clear();
  push_refused_ = false;
}

void GitSync::finish_poll(const Result<Head>& head) {
  polling_ = false;
  polled_ = true;
  const Duration now = clock_.monotonic();
  std::string trouble = head ? head->complaint : head.error().message;
  if (trouble != poll_trouble_) {
    if (!trouble.empty()) log_warn("git: " + trouble);
    if (trouble.empty()) log_info("git: the repository answers again");
    poll_trouble_ = trouble;
  }
  if (head) {
    fetched_ = last_poll_;
    poll_backoff_.succeed();
    poll_at_ = now + interval_ * 11 / 10 - Backoff(interval_ / 5, 1, interval_).next(now.count(), 1.0);
    on_head_(head->commit);
  } else {
    poll_at_ = now + std::max(kPollSpacing, poll_backoff_.next(now.count(), 1.0));
  }
  if (std::exchange(poll_again_, false)) poll_soon();
}

void GitSync::push_soon(bool urgent) {
  const Duration now = clock_.monotonic();
  if (!many_unpushed_ && git_.unpushed() > kUnpushedMany) {
    many_unpushed_ = true;
    log_error(
        format("git: more than {} transitions wait to be pushed; they are kept, and nothing of them is lost while "
               "the disk is there",
               kUnpushedMany));
  }
  if (pushing_) {
    push_again_ = true;
    push_again_urgent_ = push_again_urgent_ || urgent;
    return;
  }
  // After a failure the back-off decides: an urgent transition does not make a dead server answer.
  if (!push_trouble_.empty() && push_at_) return;
  Duration due = urgent || !last_push_ ? now : std::max(now, *last_push_ + kPushSpacing);
  push_at_ = push_at_ ? std::min(*push_at_, due) : due;
}

void GitSync::finish_push(const Result<PushReport>& pushed) {
  pushing_ = false;
  const Duration now = clock_.monotonic();
  if (pushes_paused_ && !pushed) return;  // nobody's trouble any more
  if (pushed) {
    last_push_ = now;
    race_backoff_.succeed();
    push_backoff_.succeed();
    push_refused_ = false;
    many_unpushed_ = git_.unpushed() > kUnpushedMany;
    if (!push_trouble_.empty()) log_info("git: the push went through");
    push_trouble_.clear();
    for (const std::string& path : pushed->overwritten)
      log_warn("git: somebody else had changed a status file; ours was written over it", {{"path", path}});
    if (pushed->commits > 0) log_debug("git: pushed", {{"commits", pushed->commits}});
    if (std::exchange(push_again_, false)) push_soon(std::exchange(push_again_urgent_, false));
    return;
  }
  push_again_ = push_again_urgent_ = false;
  const Error& error = pushed.error();
  if (error.kind == ErrorKind::Conflict) {
    log_debug("git: lost a push race", {{"error", error.message}});
    // After ten lost races in a row the next poll's time is soon enough.
    Duration wait = race_backoff_.next(now.count(), 0.5);
    push_at_ = now + (race_backoff_.failures() <= kRaceTries ? wait : interval_);
    return;
  }
  push_refused_ = error.kind == ErrorKind::Invalid;
  if (push_trouble_ != error.message) {
    if (push_refused_)
      log_error("git: the push was refused; status is kept and tried again every 10 min", {{"error", error.message}});
    if (!push_refused_) log_warn("git: the push failed; status is kept and tried again", {{"error", error.message}});
    push_trouble_ = error.message;
  }
  push_at_ = now + (push_refused_ ? kRefusedWait : push_backoff_.next(now.count(), 0.5));
}

}  // namespace reconciler
