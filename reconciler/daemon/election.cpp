#include "daemon/election.h"

#include <algorithm>

namespace reconciler {
namespace {

/// Bounds for what others wrote into the record.
constexpr Duration kShortestDuration = 1s;
constexpr Duration kLongestDuration = 10min;

}  // namespace

Sighting sighted(const std::optional<Sighting>& before, const LeaseRecord& record, Duration now) {
  const bool same = before && before->record.version == record.version;
  return {record, same ? before->since : now};
}

Duration free_at(const Sighting& seen, const LeaseTerms& terms) {
  if (seen.record.holder.empty()) return seen.since;
  const Duration theirs = std::clamp(seen.record.duration, kShortestDuration, kLongestDuration);
  return seen.since + std::max(theirs, terms.duration);
}

LeaseMove next_move(const std::optional<Sighting>& seen, const std::string& me, const LeaseTerms& terms, Duration now) {
  if (seen && seen->record.holder == me) return LeaseMove::Renew;
  return !seen || now >= free_at(*seen, terms) ? LeaseMove::Take : LeaseMove::Wait;
}

bool is_inherited(const std::optional<Sighting>& seen, const std::string& me) {
  if (!seen || seen->record.last_holder.empty()) return false;
  return seen->record.last_holder != me || !seen->record.taken_over;
}

LeaseRecord claimed(const std::optional<Sighting>& seen, const std::string& me, const LeaseTerms& terms,
                    TimePoint time) {
  LeaseRecord next = seen ? seen->record : LeaseRecord{};
  if (next.holder != me) {
    if (seen) ++next.transitions;
    next.acquired = time;
  }
  next.taken_over = !is_inherited(seen, me);
  next.holder = next.last_holder = me;
  next.duration = terms.duration;
  next.renewed = time;
  return next;
}

LeaseRecord released(LeaseRecord ours, TimePoint time) {
  ours.holder.clear();
  ours.duration = 1s;
  ours.renewed = time;
  return ours;
}

}  // namespace reconciler
