#include "daemon/elector.h"

#include "sim/sim_clock.h"
#include "sim/sim_lease.h"

#include "catch.h"

using namespace reconciler;

namespace {

/// Two daemons that stand for one lease in one world.
struct TwoDaemons {
  SimClock clock{TimePoint{} + 24h * 20000};
  World world{{.now = clock.now()}};
  SimLease door_a{world}, door_b{world};
  Leadership a{clock}, b{clock};
  Elector stands_a{door_a, clock, a, "a"}, stands_b{door_b, clock, b, "b"};

  /// Only those that run stand for election; the other is paused.
  void run(Duration time, std::initializer_list<Elector*> running) {
    for (const Duration end = clock.passed() + time; clock.passed() < end;) {
      for (Elector* elector : running) elector->step();
      CHECK_FALSE((a.standing().leads && b.standing().leads));
      clock.advance_to(clock.passed() + 100ms);
      world.advance_to(clock.now());
    }
  }
};

}  // namespace

TEST_CASE("the first one leads, the other follows it by name", "[elector]") {
  TwoDaemons two;
  two.run(60s, {&two.stands_a, &two.stands_b});
  CHECK(two.a.standing().leads);
  CHECK(two.a.standing().term == 1);
  CHECK_FALSE(two.a.standing().inherited);
  CHECK(two.b.standing().leader == "a");
}

TEST_CASE("a silent leader is followed by the other within the lease time", "[elector]") {
  TwoDaemons two;
  two.run(60s, {&two.stands_a, &two.stands_b});
  two.run(12s, {&two.stands_b});
  CHECK_FALSE(two.a.standing().leads);
  CHECK_FALSE(two.b.standing().leads);
  two.run(6s, {&two.stands_b});
  CHECK(two.b.standing().leads);
  CHECK(two.b.standing().inherited);
  two.run(10s, {&two.stands_a, &two.stands_b});
  CHECK(two.a.standing().leader == "b");
}

TEST_CASE("a paused leader may write nothing when it wakes", "[elector]") {
  TwoDaemons two;
  two.run(20s, {&two.stands_a, &two.stands_b});
  two.a.accept(two.a.standing().term);
  CHECK(two.a.permits());
  two.run(60s, {&two.stands_b});
  // Nothing of it has run yet since it woke.
  CHECK_FALSE(two.a.permits());
}

TEST_CASE("what was planned in an earlier term may not be written in a later one", "[elector]") {
  TwoDaemons two;
  two.run(20s, {&two.stands_a});
  two.a.accept(two.a.standing().term);
  two.run(60s, {&two.stands_b});
  two.run(60s, {&two.stands_a});
  REQUIRE(two.a.standing().leads);
  CHECK(two.a.standing().inherited);
  CHECK_FALSE(two.a.permits());
  two.a.accept(two.a.standing().term);
  CHECK(two.a.permits());
}

TEST_CASE("a restarted daemon takes its own lease back at once", "[elector]") {
  TwoDaemons two;
  two.run(20s, {&two.stands_a, &two.stands_b});
  Leadership again{two.clock};
  Elector restarted{two.door_a, two.clock, again, "a"};
  restarted.step();
  CHECK(again.standing().leads);
  CHECK_FALSE(again.standing().inherited);
}

TEST_CASE("a claim whose maker dies before it took over does not count as a term of its own", "[elector]") {
  TwoDaemons two;
  two.run(20s, {&two.stands_a, &two.stands_b});
  two.a.accept(two.a.standing().term);
  two.run(4s, {&two.stands_a, &two.stands_b});
  two.run(20s, {&two.stands_b});
  REQUIRE(two.b.standing().leads);
  Leadership again{two.clock};
  Elector restarted{two.door_b, two.clock, again, "b"};
  restarted.step();
  REQUIRE(again.standing().leads);
  CHECK(again.standing().inherited);
  // Once it took over, the next restart has nothing to ask for.
  again.accept(again.standing().term);
  two.clock.advance_to(two.clock.passed() + 2s);
  restarted.step();
  Leadership third{two.clock};
  Elector once_more{two.door_b, two.clock, third, "b"};
  once_more.step();
  CHECK_FALSE(third.standing().inherited);
}

TEST_CASE("a released lease is taken at the next look", "[elector]") {
  TwoDaemons two;
  two.run(20s, {&two.stands_a, &two.stands_b});
  two.stands_a.release();
  CHECK_FALSE(two.a.standing().leads);
  two.run(3s, {&two.stands_b});
  CHECK(two.b.standing().leads);
  CHECK(two.b.standing().inherited);
}

TEST_CASE("a lease that somebody deleted is made again", "[elector]") {
  TwoDaemons two;
  two.run(20s, {&two.stands_a});
  two.door_a.remove();
  two.run(5s, {&two.stands_a});
  CHECK(two.a.standing().leads);
  CHECK(two.a.standing().term == 1);
}

TEST_CASE("a lease that vanishes is not free before its holder must have stopped", "[elector]") {
  TwoDaemons two;
  two.run(20s, {&two.stands_a, &two.stands_b});
  two.door_a.remove();
  two.run(10s, {&two.stands_b});
  CHECK_FALSE(two.b.standing().leads);
  two.run(10s, {&two.stands_b});
  CHECK(two.b.standing().leads);
}

TEST_CASE("without a server nobody leads, and the reason is told", "[elector]") {
  TwoDaemons two;
  two.run(20s, {&two.stands_a, &two.stands_b});
  two.door_a.unreachable = two.door_b.unreachable = true;
  two.run(30s, {&two.stands_a, &two.stands_b});
  CHECK_FALSE(two.a.standing().leads);
  CHECK(two.a.standing().trouble == "the API server cannot be reached");
  two.door_a.unreachable = two.door_b.unreachable = false;
  two.run(20s, {&two.stands_a, &two.stands_b});
  CHECK((two.a.standing().leads || two.b.standing().leads));
  CHECK(two.a.standing().trouble.empty());
}
