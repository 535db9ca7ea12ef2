// Expectations here come from the examples and the words of the specification, not from the code: the closest ratio is
// looked for by trying every number of pods.
#include "rollout/replica_counts.h"

#include <random>

#include "base/format.h"
#include "catch.h"

using namespace reconciler;

namespace {

constexpr auto kPods = PodCount::Unit::Pods;
constexpr auto kPercent = PodCount::Unit::Percent;

Fenceposts posts(int replicas, PodCount surge, PodCount unavailable) {
  return fenceposts(replicas, surge, unavailable);
}

PodSplit split(int replicas, int weight) {
  return approximate_split(replicas, posts(replicas, {25, kPercent}, {25, kPercent}).surge, weight);
}

/// |canary / total - weight / 100|, times 100 * total.
int distance(const PodSplit& s, int weight) { return std::abs(s.canary * 100 - weight * (s.canary + s.stable)); }

/// Is `a` closer to the weight than `b`?
bool closer(const PodSplit& a, const PodSplit& b, int weight) {
  return distance(a, weight) * (b.canary + b.stable) < distance(b, weight) * (a.canary + a.stable);
}

std::string text(const RevisionPods& pods) {
  std::string out = format("canary {}/{} stable {}/{}", pods.canary.available, pods.canary.asked, pods.stable.available,
                           pods.stable.asked);
  for (const Pods& p : pods.others) out += format(" other {}/{}", p.available, p.asked);
  return out;
}

/// ReplicaSets that do as they are told, pods that start when chance will have it.
struct World {
  RevisionPods pods;
  std::mt19937 chance;

  int asked() const {
    int sum = pods.canary.asked + pods.stable.asked;
    for (const Pods& p : pods.others) sum += p.asked;
    return sum;
  }
  int available() const {
    int sum = pods.canary.available + pods.stable.available;
    for (const Pods& p : pods.others) sum += p.available;
    return sum;
  }
  void ask(const NextCounts& next) {
    auto resize = [](Pods& p, int asked) { p = {asked, std::min(p.available, asked)}; };
    resize(pods.canary, next.canary);
    resize(pods.stable, next.stable);
    for (size_t i = 0; i < pods.others.size(); ++i) resize(pods.others[i], next.others[i]);
  }
  /// Some of the missing pods start; all of them when `all`.
  void start() {
    each([this](Pods& p) { p.available += int(chance() % unsigned(p.asked - p.available + 1)); });
  }
  void start_all() {
    each([](Pods& p) { p.available = p.asked; });
  }
  template <class Change>
  void each(Change change) {
    change(pods.canary);
    change(pods.stable);
    for (Pods& p : pods.others) change(p);
  }
};

}  // namespace

TEST_CASE("maxSurge rounds up and maxUnavailable down", "[replica counts]") {
  struct Case {
    int replicas;
    PodCount surge, unavailable;
    int most, least;
  };
  const Case cases[] = {
      {5, {25, kPercent}, {25, kPercent}, 7, 4},  {10, {25, kPercent}, {25, kPercent}, 13, 8},
      {1, {25, kPercent}, {25, kPercent}, 2, 1},  {3, {25, kPercent}, {25, kPercent}, 4, 3},
      {4, {25, kPercent}, {25, kPercent}, 5, 3},  {0, {25, kPercent}, {25, kPercent}, 0, 0},
      {10, {0, kPods}, {1, kPods}, 10, 9},        {10, {0, kPods}, {5, kPercent}, 10, 9},
      {10, {0, kPercent}, {10, kPods}, 10, 0},    {10, {0, kPods}, {20, kPods}, 10, 0},
      {10, {100, kPercent}, {0, kPods}, 20, 10},  {10, {3, kPods}, {0, kPercent}, 13, 10},
      {10, {1, kPercent}, {1, kPercent}, 11, 10}, {1, {0, kPods}, {25, kPercent}, 1, 0},
      {7, {50, kPercent}, {50, kPercent}, 11, 4}, {200, {33, kPercent}, {33, kPercent}, 266, 134},
      {10, {150, kPercent}, {0, kPods}, 25, 10},
  };
  for (const Case& c : cases) {
    INFO(format("{} replicas, surge {}, unavailable {}", c.replicas, c.surge.number, c.unavailable.number));
    const Fenceposts found = posts(c.replicas, c.surge, c.unavailable);
    CHECK(found.most == c.most);
    CHECK(found.least == c.least);
  }
}

TEST_CASE("the examples of the specification", "[replica counts]") {
  CHECK(split(5, 20) == PodSplit{1, 4});
  CHECK(split(5, 40) == PodSplit{2, 3});
  CHECK(split(5, 60) == PodSplit{3, 2});
  CHECK(split(5, 80) == PodSplit{4, 1});
  CHECK(split(3, 20) == PodSplit{1, 3});
  CHECK(split(1, 50) == PodSplit{1, 1});
  CHECK(split(10, 1) == PodSplit{1, 10});
}

TEST_CASE("numbers of pods for a weight", "[replica counts]") {
  struct Case {
    int replicas, surge, weight;
    PodSplit expected;
  };
  const Case cases[] = {
      {0, 0, 0, {0, 0}},   {0, 1, 50, {0, 0}},    {0, 0, 100, {0, 0}},   {1, 0, 0, {0, 1}},   {1, 0, 1, {0, 1}},
      {1, 0, 49, {0, 1}},  {1, 0, 50, {1, 0}},    {1, 0, 99, {1, 0}},    {1, 0, 100, {1, 0}}, {1, 1, 0, {0, 1}},
      {1, 1, 1, {1, 1}},   {1, 1, 49, {1, 1}},    {1, 1, 50, {1, 1}},    {1, 1, 75, {1, 1}},  {1, 1, 99, {1, 1}},
      {1, 1, 100, {1, 0}}, {2, 0, 1, {1, 1}},     {2, 0, 50, {1, 1}},    {2, 0, 99, {1, 1}},  {2, 1, 10, {1, 2}},
      {2, 1, 50, {1, 1}},  {2, 1, 90, {2, 1}},    {3, 0, 10, {1, 2}},    {3, 0, 50, {2, 1}},  {3, 1, 10, {1, 3}},
      {3, 1, 25, {1, 3}},  {3, 1, 33, {1, 2}},    {3, 1, 34, {1, 2}},    {3, 1, 50, {2, 2}},  {3, 1, 95, {3, 1}},
      {10, 0, 1, {1, 9}},  {10, 0, 14, {1, 9}},   {10, 0, 15, {2, 8}},   {10, 0, 16, {2, 8}}, {10, 0, 99, {9, 1}},
      {10, 1, 1, {1, 10}}, {10, 1, 18, {2, 9}},   {10, 1, 19, {2, 9}},   {10, 1, 20, {2, 8}}, {10, 1, 24, {3, 8}},
      {10, 1, 25, {3, 8}}, {10, 1, 99, {10, 1}},  {10, 1, 100, {10, 0}}, {4, 1, 90, {4, 1}},  {100, 25, 33, {33, 67}},
      {20, 5, 5, {1, 19}}, {20, 5, 50, {10, 10}}, {7, 2, 50, {4, 4}},    {6, 2, 50, {3, 3}},  {9, 3, 95, {9, 1}},
  };
  for (const Case& c : cases) {
    INFO(format("{} replicas, surge {}, weight {}", c.replicas, c.surge, c.weight));
    CHECK(approximate_split(c.replicas, c.surge, c.weight) == c.expected);
  }
}

TEST_CASE("numbers of pods for every weight, as an independent model has them", "[replica counts]") {
  struct Case {
    int replicas, surge, weight, canary, stable;
  };
  static constexpr Case kTable[] = {
#include "approximate_split.inc"
  };
  for (const Case& c : kTable) {
    INFO(format("{} replicas, surge {}, weight {}", c.replicas, c.surge, c.weight));
    CHECK(approximate_split(c.replicas, c.surge, c.weight) == PodSplit{c.canary, c.stable});
  }
}

TEST_CASE("no other numbers of pods come closer to the weight", "[replica counts]") {
  for (int replicas = 0; replicas <= 20; ++replicas)
    for (int surge : {0, 1, 3})
      for (int weight = 0; weight <= 100; ++weight) {
        INFO(format("{} replicas, surge {}, weight {}", replicas, surge, weight));
        const PodSplit found = approximate_split(replicas, surge, weight);
        const int total = found.canary + found.stable;
        REQUIRE(found.canary >= 0);
        REQUIRE(found.stable >= 0);
        REQUIRE(total >= replicas);
        REQUIRE(total <= replicas + std::min(surge, 1));
        if (replicas == 0) continue;
        // No candidate is left (spec 3.2): half a pod too little for the floor, and the ceiling would empty stable.
        if (surge == 0 && replicas * weight % 100 == 50 && replicas * weight > 100 * (replicas - 1)) {
          REQUIRE(found == (replicas == 1 ? PodSplit{1, 0} : PodSplit{0, replicas}));
          continue;
        }
        const bool may_be_empty = weight == 0 || weight == 100 || (replicas == 1 && surge == 0);
        if (!may_be_empty) REQUIRE((found.canary > 0 && found.stable > 0));
        if (weight == 0) REQUIRE(found == PodSplit{0, replicas});
        if (weight == 100) REQUIRE(found == PodSplit{replicas, 0});
        for (int other = 0; other <= replicas; ++other) {
          const PodSplit same_total{other, replicas - other};
          if (!may_be_empty && (other == 0 || other == replicas)) continue;
          REQUIRE_FALSE(closer(same_total, found, weight));
        }
      }
}

TEST_CASE("a canary comes up and stable makes room, a step at a time", "[replica counts]") {
  const Fenceposts limits = posts(5, {25, kPercent}, {25, kPercent});  // at most 7, at least 4
  CHECK(next_counts({{0, 0}, {5, 5}, {}}, {1, 4}, limits) == NextCounts{1, 4, {}});
  CHECK(next_counts({{0, 0}, {5, 5}, {}}, {5, 0}, limits) == NextCounts{2, 4, {}});
  CHECK(next_counts({{2, 0}, {4, 4}, {}}, {5, 0}, limits) == NextCounts{3, 4, {}});
  CHECK(next_counts({{3, 2}, {4, 4}, {}}, {5, 0}, limits) == NextCounts{3, 2, {}});
  CHECK(next_counts({{3, 3}, {2, 2}, {}}, {5, 0}, limits) == NextCounts{5, 1, {}});
}

TEST_CASE("an abort gives stable its pods back before the canary goes", "[replica counts]") {
  const Fenceposts limits = posts(5, {25, kPercent}, {25, kPercent});
  CHECK(next_counts({{3, 3}, {2, 2}, {}}, {0, 5}, limits) == NextCounts{2, 4, {}});
  CHECK(next_counts({{2, 2}, {4, 2}, {}}, {0, 5}, limits) == NextCounts{2, 5, {}});
  CHECK(next_counts({{2, 2}, {5, 4}, {}}, {0, 5}, limits) == NextCounts{0, 5, {}});
}

TEST_CASE("other revisions go first, ailing pods at once", "[replica counts]") {
  const Fenceposts limits = posts(5, {25, kPercent}, {25, kPercent});
  CHECK(next_counts({{1, 1}, {4, 4}, {{2, 0}}}, {1, 4}, limits) == NextCounts{1, 4, {0}});
  CHECK(next_counts({{1, 0}, {3, 3}, {{2, 2}}}, {2, 3}, limits) == NextCounts{2, 3, {1}});
  CHECK(next_counts({{2, 2}, {4, 4}, {{1, 1}}}, {2, 3}, limits) == NextCounts{2, 4, {0}});
  CHECK(next_counts({{0, 0}, {3, 3}, {{2, 1}, {1, 1}}}, {1, 3}, limits).others == std::vector<int>{0, 1});
}

TEST_CASE("fewer replicas trim what is too much", "[replica counts]") {
  const Fenceposts limits = posts(2, {25, kPercent}, {25, kPercent});  // at most 3, at least 2
  const NextCounts next = next_counts({{4, 4}, {6, 6}, {}}, {1, 1}, limits);
  CHECK(next.canary + next.stable <= limits.most);
  CHECK(next.canary + next.stable >= limits.least);
}

TEST_CASE("whatever is asked for and whenever, the limits hold and it arrives", "[replica counts]") {
  for (uint32_t seed = 1; seed <= 3000; ++seed) {
    World world;
    world.chance.seed(seed);
    auto draw = [&](int from, int to) { return from + int(world.chance() % unsigned(to - from + 1)); };
    auto draw_count = [&] { return draw(0, 1) ? PodCount{draw(0, 100), kPercent} : PodCount{draw(0, 6), kPods}; };
    const PodCount surge = draw_count(), unavailable = draw_count();
    int replicas = draw(0, 20);
    world.pods.stable = {replicas, replicas};
    world.pods.others.resize(size_t(draw(0, 2)));
    int weight = 0;
    std::string path;
    for (int turn = 0; turn < 6; ++turn) {
      // Another weight, another version (the canary becomes one of the others), another number of replicas.
      if (draw(0, 2) > 0) weight = draw(0, 100);
      if (draw(0, 4) == 0) {
        world.pods.others.insert(world.pods.others.begin(), world.pods.canary);
        world.pods.canary = {};
      }
      if (draw(0, 4) == 0) replicas = draw(0, 20);
      const Fenceposts limits = posts(replicas, surge, unavailable);
      const PodSplit wanted = approximate_split(replicas, limits.surge, weight);
      path += format("\nreplicas {}, at most {}, at least {}, weight {}", replicas, limits.most, limits.least, weight);
      const bool to_the_end = turn == 5 || draw(0, 1);
      bool arrived = false;
      for (int step = 0; step < 200 && !arrived; ++step) {
        if (!to_the_end && step == draw(1, 8)) break;
        const int asked = world.asked(), available = world.available();
        const NextCounts next = next_counts(world.pods, wanted, limits);
        path += "\n  " + text(world.pods);
        world.ask(next);
        INFO(format("seed {}{}\n  {}", seed, path, text(world.pods)));
        REQUIRE(world.asked() <= std::max(limits.most, asked));
        REQUIRE(world.available() >= std::min(limits.least, available));
        arrived = world.pods.canary == Pods{wanted.canary, wanted.canary} &&
                  world.pods.stable == Pods{wanted.stable, wanted.stable} &&
                  std::all_of(world.pods.others.begin(), world.pods.others.end(), [](auto& p) { return p.asked == 0; });
        if (step < 150)
          world.start();
        else
          world.start_all();
      }
      INFO(format("seed {}{}\n  {}", seed, path, text(world.pods)));
      if (to_the_end) REQUIRE(arrived);
    }
  }
}
