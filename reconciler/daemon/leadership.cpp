#include "daemon/leadership.h"

#include <utility>

#include "base/format.h"

namespace reconciler {

Leadership::Leadership(Leadership&& other) noexcept
    : clock_(other.clock_), until_(other.until_), term_(other.term_), leader_(std::move(other.leader_)) {}

Leadership Leadership::sole(Clock& clock) {
  Leadership alone(clock);
  alone.until_ = Duration::max();
  alone.term_ = 1;
  return alone;
}

Leadership::Standing Leadership::standing() const {
  std::lock_guard lock(mutex_);
  const bool leading = leads();
  // A lease of ours that ran out is nobody's as far as we know.
  const bool ran_out = !leading && until_ > 0ms;
  return {
      .leads = leading, .term = term_, .inherited = inherited_, .leader = ran_out ? "" : leader_, .trouble = trouble_};
}

void Leadership::accept(uint64_t term) {
  std::lock_guard lock(mutex_);
  accepted_ = term;
}

bool Leadership::has_taken_over() const {
  std::lock_guard lock(mutex_);
  return leads() && accepted_ == term_;
}

Result<void> Leadership::permits() const {
  std::lock_guard lock(mutex_);
  if (leads() && accepted_ == term_) return {};
  return conflict(leader_.empty() ? "not written: the lease is lost"
                                  : format("not written: the lease is held by {}", leader_));
}

void Leadership::won(const std::string& me, Duration until, Inherited inherited) {
  std::function<void()> changed;
  {
    std::lock_guard lock(mutex_);
    ++term_;
    until_ = until;
    inherited_ = inherited == Inherited::Yes;
    leader_ = me;
    trouble_.clear();
    changed = changed_;
  }
  if (changed) changed();
}

void Leadership::renewed(Duration until) {
  std::lock_guard lock(mutex_);
  until_ = until;
  trouble_.clear();
}

void Leadership::lost(const std::string& leader) {
  std::function<void()> changed;
  {
    std::lock_guard lock(mutex_);
    trouble_.clear();
    if (until_ == 0ms && leader_ == leader) return;
    until_ = 0ms;
    leader_ = leader;
    changed = changed_;
  }
  if (changed) changed();
}

void Leadership::troubled(const std::string& why) {
  std::lock_guard lock(mutex_);
  trouble_ = why;
}

void Leadership::on_change(std::function<void()> changed) {
  std::lock_guard lock(mutex_);
  changed_ = std::move(changed);
}

}  // namespace reconciler
