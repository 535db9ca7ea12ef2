#include "daemon/elector.h"

#include <algorithm>

#include "base/log.h"

namespace reconciler {

Elector::Elector(Lease& lease, Clock& clock, Leadership& leadership, std::string me, LeaseTerms terms)
    : lease_(lease), clock_(clock), leadership_(leadership), me_(std::move(me)), terms_(terms) {}

Duration Elector::step() {
  const Duration now = clock_.monotonic();
  if (now < due_) return due_;
  due_ = now + terms_.retry;
  if (!certain_ && !look()) return due_;
  // Time has passed while reading, and counts.
  const Duration then = clock_.monotonic();
  if (next_move(seen_, me_, terms_, then) != LeaseMove::Wait) {
    claim(then);
  } else {
    leadership_.lost(seen_->record.holder);
    due_ = std::min(due_, free_at(*seen_, terms_));
  }
  return due_;
}

/// False when the record cannot be read.
bool Elector::look() {
  auto record = lease_.read();
  if (!record) {
    fail(record.error());
    return false;
  }
  // The moment after the answer: the longer wait is the safe one.
  if (*record) seen_ = sighted(seen_, **record, clock_.monotonic());
  // Deleted by somebody; its holder may not have noticed, so it gets the time it asked for.
  if (!*record && seen_) seen_->record.version.clear();
  return true;
}

/// Takes or renews. It counts from the moment before the record was sent: others may see it then already.
void Elector::claim(Duration now) {
  LeaseRecord wanted = claimed(seen_, me_, terms_, clock_.now());
  if (leadership_.has_taken_over()) wanted.taken_over = true;
  auto stored = lease_.write(wanted);
  if (stored) return take_over(*stored, now);
  certain_ = false;
  if (stored.error().kind != ErrorKind::Conflict) return fail(stored.error());
  // Somebody was faster, or an answer to us was lost: see who holds it, at once.
  if (!look()) return;
  if (seen_ && seen_->record.holder == me_) {
    due_ = now;
  } else if (seen_ && !seen_->record.holder.empty()) {
    leadership_.lost(seen_->record.holder);
  }
}

void Elector::take_over(const LeaseRecord& record, Duration sent) {
  const Duration until = sent + terms_.renew;
  const bool was_leading = leadership_.standing().leads;
  const std::string before = seen_ ? seen_->record.last_holder : "";
  const bool inherited = is_inherited(seen_, me_);
  seen_ = sighted(seen_, record, clock_.monotonic());
  certain_ = true;
  if (!said_.empty()) log_info("lease: it can be renewed again");
  said_.clear();
  if (was_leading) return leadership_.renewed(until);
  log_info("this daemon leads", {{"identity", me_}, {"before", before.empty() ? "nobody" : before}});
  leadership_.won(me_, until, inherited ? Leadership::Inherited::Yes : Leadership::Inherited::No);
}

void Elector::fail(const Error& error) {
  leadership_.troubled(error.message);
  if (said_ == error.message) return;
  said_ = error.message;
  log_warn("lease: it cannot be read or renewed", {{"error", error.message}});
}

void Elector::release() {
  if (!certain_) return;
  leadership_.lost("");
  auto gone = lease_.write(released(seen_->record, clock_.now()));
  if (!gone) log_debug("lease: not released, others wait until it runs out", {{"error", gone.error().message}});
  certain_ = false;
}

}  // namespace reconciler
