#include "daemon/election.h"

#include "catch.h"

using namespace reconciler;

namespace {

LeaseRecord held_by(const std::string& holder) {
  return {.holder = holder, .last_holder = holder, .duration = 15s, .version = "7"};
}

struct Row {
  std::string what;
  std::optional<Sighting> seen;
  Duration now;
  LeaseMove move;
};

}  // namespace

TEST_CASE("who may take the lease, and when", "[election]") {
  const LeaseTerms terms;
  LeaseRecord patient = held_by("b"), boastful = held_by("b"), hasty = held_by("b");
  patient.duration = 60s;
  boastful.duration = 24h;
  hasty.duration = 0s;
  const std::vector<Row> rows = {
      {"there is no record", std::nullopt, 0s, LeaseMove::Take},
      {"it was released", Sighting{held_by(""), 100s}, 100s, LeaseMove::Take},
      {"it is ours", Sighting{held_by("a"), 100s}, 100s, LeaseMove::Renew},
      {"it is ours since long ago, so nobody took it", Sighting{held_by("a"), 100s}, 900s, LeaseMove::Renew},
      {"another renewed it just now", Sighting{held_by("b"), 100s}, 100s, LeaseMove::Wait},
      {"another is silent, but not long enough", Sighting{held_by("b"), 100s}, 114999ms, LeaseMove::Wait},
      {"another is silent for as long as it asked for", Sighting{held_by("b"), 100s}, 115s, LeaseMove::Take},
      {"another asked for more time than we do", Sighting{patient, 100s}, 159s, LeaseMove::Wait},
      {"and has had it", Sighting{patient, 100s}, 160s, LeaseMove::Take},
      {"another asked for less than is safe", Sighting{hasty, 100s}, 114s, LeaseMove::Wait},
      {"nobody may ask for ever", Sighting{boastful, 100s}, 100s + 10min, LeaseMove::Take},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    CHECK(next_move(row.seen, "a", terms, row.now) == row.move);
  }
}

TEST_CASE("a record counts as silent from when it was first seen like that", "[election]") {
  const Sighting first = sighted(std::nullopt, held_by("b"), 100s);
  CHECK(sighted(first, held_by("b"), 104s).since == 100s);
  LeaseRecord renewed = held_by("b");
  renewed.version = "8";
  CHECK(sighted(first, renewed, 104s).since == 104s);
}

TEST_CASE("the holder has stopped before a candidate may begin", "[election]") {
  const LeaseTerms terms;
  const Duration sent = 50s, seen = 50s;  // seen no earlier than sent
  CHECK(sent + terms.renew < free_at({held_by("b"), seen}, terms));
}

TEST_CASE("whoever did not decide last has to ask what was decided", "[election]") {
  LeaseRecord ours = held_by("a"), claimed_only = held_by("a"), theirs = held_by("b"), free = held_by("");
  ours.taken_over = theirs.taken_over = true;
  CHECK_FALSE(is_inherited(std::nullopt, "a"));
  CHECK_FALSE(is_inherited(Sighting{free, 0s}, "a"));
  CHECK_FALSE(is_inherited(Sighting{ours, 0s}, "a"));
  CHECK(is_inherited(Sighting{theirs, 0s}, "a"));
  CHECK(is_inherited(Sighting{released(theirs, TimePoint{}), 0s}, "a"));
  // Claimed before, but the claimer died or did not hear of it.
  CHECK(is_inherited(Sighting{claimed_only, 0s}, "a"));
  CHECK_FALSE(claimed(Sighting{theirs, 0s}, "a", {}, TimePoint{}).taken_over);
  CHECK_FALSE(claimed(Sighting{claimed_only, 0s}, "a", {}, TimePoint{}).taken_over);
  CHECK(claimed(Sighting{ours, 0s}, "a", {}, TimePoint{}).taken_over);
}

TEST_CASE("a claim says who, since when and how often it changed hands", "[election]") {
  const TimePoint time = TimePoint{} + 1000s;
  SECTION("the first one") {
    const LeaseRecord first = claimed(std::nullopt, "a", {}, time);
    CHECK(
        first ==
        LeaseRecord{
            .holder = "a", .last_holder = "a", .taken_over = true, .duration = 15s, .acquired = time, .renewed = time});
  }
  SECTION("a renewal keeps the beginning") {
    LeaseRecord ours = held_by("a");
    ours.acquired = TimePoint{} + 1s;
    ours.transitions = 3;
    const LeaseRecord next = claimed(Sighting{ours, 0s}, "a", {}, time);
    CHECK(next.acquired == ours.acquired);
    CHECK(next.renewed == time);
    CHECK(next.transitions == 3);
    CHECK(next.version == "7");
  }
  SECTION("a takeover counts") {
    const LeaseRecord next = claimed(Sighting{held_by("b"), 0s}, "a", {}, time);
    CHECK(next.transitions == 1);
    CHECK(next.acquired == time);
    CHECK(next.holder == "a");
  }
  SECTION("a released lease is free at once and still says whose it was") {
    const LeaseRecord free = released(held_by("a"), time);
    CHECK(next_move(Sighting{free, 100s}, "b", {}, 100s) == LeaseMove::Take);
    CHECK(free.last_holder == "a");
  }
}
