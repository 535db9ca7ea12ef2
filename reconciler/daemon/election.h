// Who leads, as a pure function: two daemons that see the same record never both believe that they hold it.
//
//   holder:     renews every `retry`; acts no longer than `renew` after it *sent* its last renewal
//   candidate:  takes the lease when its record has not changed for `duration` since it *saw* it
//
// No clock is compared with another machine's: each measures on its own how long the record stays the same. As `renew`
// is shorter than `duration`, the holder has stopped before a candidate begins, and what lies between is time for a
// write that is under way.
#pragma once

#include <optional>
#include <string>

#include "lease.h"

namespace reconciler {

struct LeaseTerms {
  Duration duration = 15s;
  Duration renew = 10s;
  Duration retry = 2s;
};

/// The record as it was last seen, and since when it has been like that, on the monotonic clock.
struct Sighting {
  LeaseRecord record;
  Duration since{0};
};

/// What a read tells: an unchanged record has been there since it was seen first.
Sighting sighted(const std::optional<Sighting>& before, const LeaseRecord& record, Duration now);

/// When somebody else may take the lease; `now` or earlier: at once.
Duration free_at(const Sighting& seen, const LeaseTerms& terms);

enum class LeaseMove {
  Wait,   ///< it is somebody else's
  Take,   ///< nobody holds it, or its holder is silent
  Renew,  ///< it is ours, now or before a restart
};

/// `seen`: nothing when there is no record.
LeaseMove next_move(const std::optional<Sighting>& seen, const std::string& me, const LeaseTerms& terms, Duration now);

/// Has somebody else held the lease since `me` decided last, or may have? A claim alone changes nothing about that: its
/// maker may have died, or never heard of its success.
bool is_inherited(const std::optional<Sighting>& seen, const std::string& me);

/// The record that makes `me` the holder, or keeps it so.
LeaseRecord claimed(const std::optional<Sighting>& seen, const std::string& me, const LeaseTerms& terms,
                    TimePoint time);

/// The record that lets the next one in at once.
LeaseRecord released(LeaseRecord ours, TimePoint time);

}  // namespace reconciler
