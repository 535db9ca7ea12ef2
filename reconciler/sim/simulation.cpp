#include "sim/simulation.h"

#include "base/format.h"
#include "sim/ending.h"
#include "sim/mischief.h"
#include "sim/people.h"
#include "sim/stage.h"
#include "sim/watchman.h"

namespace reconciler {
namespace {

constexpr int kThingsAtOnceMax = 20000;
constexpr Duration kCalmLongest = 6h;
constexpr Duration kQuiet = 12min;

StageOptions draw_stage(uint64_t seed, Random& random) {
  static const std::vector<Duration> ready = {0ms, 500ms, 2s, 15s};
  static const std::vector<Duration> lags = {0ms, 0ms, 200ms, 2s};
  static const std::vector<Duration> waits = {0ms, 20ms, 500ms};
  StageOptions out{.seed = seed};
  out.ready_after = random.pick(ready);
  out.interval = random.chance(0.5) ? 10s : 60s;
  out.watch_lag = random.pick(lags);
  out.listed_after = random.chance(0.5) ? 0ms : random.between(Duration(0), Duration(3000));
  out.delays = {.longest = random.pick(waits), .slow_chance = random.chance(0.3) ? 0.05 : 0.0, .slow_longest = 8s};
  out.faults = FaultMix::draw(random);
  // From chance of its own, so that seeds stay what they were.
  if (Random(seed ^ 0x0b1ec7).chance(0.25)) out.rollout_objects = RolloutObjects::Published;
  if (Random(seed ^ 0x5ea75).chance(0.25)) out.seats = 2;
  return out;
}

/// How often things happen in this run.
struct Weather {
  Duration storm;
  Duration between_deeds;
  double mischief, kill, lost_disk, git_outage, cluster_outage, race;

  static Weather draw(Random& random) {
    auto maybe = [&](double likely, double most) {
      return random.chance(likely) ? most * random.below(100) / 100.0 : 0;
    };
    Weather out{.storm = std::chrono::minutes(random.between(5, 40)),
                .between_deeds = std::chrono::seconds(random.between(5, 240)),
                .mischief = maybe(0.4, 0.3),
                .kill = maybe(0.5, 0.2),
                .lost_disk = maybe(0.25, 0.1),
                .git_outage = maybe(0.3, 0.1),
                .cluster_outage = maybe(0.3, 0.1),
                .race = maybe(0.4, 0.6)};
    return out;
  }
};

class Simulation {
 public:
  Simulation(uint64_t seed, Transcript transcript)
      : keep_(transcript == Transcript::Keep),
        random_(seed),
        stage_(draw_stage(seed, random_)),
        start_at_(stage_.seats()),
        luck_(seed ^ 0x10cc),
        weather_(Weather::draw(random_)),
        people_(stage_.remote, stage_.clock, random_.fork(), Random(seed ^ 0x9011c7), Random(seed ^ 0xe8be71),
                [this](const std::string& what) { say(what); }),
        watchman_(stage_, people_),
        mischief_(stage_.world, random_.fork(), [this](const RolloutKey& key, const std::string& what) {
          watchman_.disturbed(key);
          say(key.text() + ": " + what);
        }) {
    stage_.on_transition = [this](const RolloutKey& key, const Decision& decision) { say_transition(key, decision); };
    stage_.on_pushing = [this] {
      if (stage_.faults.on && random_.chance(weather_.race)) people_.push_something_else();
    };
  }

  SimulationResult run() {
    people_.begin(random_.between(1, random_.chance(0.3) ? 6 : 3));
    for (size_t seat = 0; seat < stage_.seats(); ++seat) stage_.start(seat);
    storm();
    if (fine()) calm();
    result_.alarms = watchman_.alarms();
    result_.transitions = watchman_.transitions();
    result_.writes = stage_.writer.writes;
    return std::move(result_);
  }

 private:
  bool fine() const { return watchman_.alarms().empty(); }

  void say(const std::string& what) {
    if (!keep_) return;
    const auto total = std::chrono::duration_cast<std::chrono::milliseconds>(stage_.clock.passed()).count();
    std::string seconds = std::to_string(total / 1000 % 60), fraction = std::to_string(total % 1000);
    result_.transcript.push_back(format("{}:{}.{}  {}", total / 60000, std::string(2 - seconds.size(), '0') + seconds,
                                        std::string(3 - fraction.size(), '0') + fraction, what));
  }

  void say_transition(const RolloutKey& key, const Decision& decision) {
    if (!keep_) return;
    const Status& s = decision.status;
    say(format("  {} {}: {}  ({})", key.text(), to_text(s.phase), decision.subject, decision.why));
    for (const Action& action : decision.actions) say("      " + describe(action));
  }

  void die(size_t seat, const std::string& where) {
    say(format("KILLED {}{}", name_of(seat), where));
    ++result_.kills;
    stage_.kill(seat);
    start_at_[seat] = stage_.clock.passed() + random_.between(Duration(0), Duration(20000));
  }

  std::string name_of(size_t seat) const { return stage_.elects() ? Stage::identity(seat) + " " : ""; }

  /// Everything that is due at this moment, until nothing is.
  void settle_moment() {
    for (int things = 0; fine(); ++things) {
      if (things > kThingsAtOnceMax) return watchman_.alarm("the program spins: it is never done at one moment");
      try {
        if (!stage_.act()) return;
      } catch (const ProcessKilled& killed) {
        die(stage_.acting(), killed.where);
        continue;
      }
      ++result_.passes;
      if (stage_.daemon_on(stage_.acting()).begun()) watchman_.passed(stage_.daemon_on(stage_.acting()).head());
    }
  }

  /// Lets the world and the program go on until `end`.
  void run_until(Duration end) {
    while (fine()) {
      for (size_t seat = 0; seat < stage_.seats(); ++seat) {
        if (stage_.alive(seat) || start_at_[seat] > stage_.clock.passed()) continue;
        say(name_of(seat) + "start");
        stage_.start(seat);
      }
      settle_moment();
      std::optional<Duration> next = stage_.next_due();
      for (size_t seat = 0; seat < stage_.seats(); ++seat)
        if (!stage_.alive(seat) && (!next || start_at_[seat] < *next)) next = start_at_[seat];
      if (!next || *next > end) break;
      stage_.pass_time_until(std::max(*next, stage_.clock.passed() + 1ms));
    }
    stage_.pass_time_until(end);
  }

  void storm() {
    const Duration end = weather_.storm;
    const bool smooth_start = random_.chance(0.5);
    if (smooth_start) run_until(60s);
    stage_.faults.on = true;
    while (fine() && stage_.clock.passed() < end) {
      run_until(stage_.clock.passed() + random_.between(Duration(0), 2 * weather_.between_deeds));
      if (fine()) something_happens();
    }
  }

  void something_happens() {
    const size_t seat = stage_.elects() ? size_t(luck_.below(int(stage_.seats()))) : 0;
    if (stage_.elects() && luck_.chance(0.3)) return disturb(seat);
    if (random_.chance(weather_.kill) && stage_.alive(seat)) return die(seat, "at rest");
    if (random_.chance(weather_.lost_disk)) {
      if (stage_.alive(seat)) die(seat, "with its disk");
      say(name_of(seat) + "the disk is lost");
      stage_.lose_disk(seat);
      return watchman_.disk_lost(seat);
    }
    if (random_.chance(weather_.git_outage)) stage_.faults.git_down = !stage_.faults.git_down;
    if (random_.chance(weather_.cluster_outage)) stage_.faults.cluster_down = !stage_.faults.cluster_down;
    if (random_.chance(weather_.mischief)) return mischief_.act(random_.pick(people_.apps()));
    people_.act();
  }

  /// What only several seats can tell apart.
  void disturb(size_t seat) {
    if (luck_.chance(0.3)) {
      say(name_of(seat) + "loses sight of the lease");
      return stage_.cut_off(seat);
    }
    if (luck_.chance(0.3)) {
      say("nobody is paused or cut off any more");
      return stage_.set_free();
    }
    const Duration pause = luck_.between(Duration(1000), Duration(60000));
    say(format("{}is paused for {}", name_of(seat), format_duration(pause)));
    stage_.pause(seat, stage_.clock.passed() + pause);
  }

  void calm() {
    stage_.set_free();
    stage_.faults.on = stage_.faults.git_down = stage_.faults.cluster_down = false;
    say("CALM");
    // What the API server refused waits for a change; so do manifests that are wrong.
    people_.clean_up(stage_.faults.mix().refused > 0);
    const Duration latest = stage_.clock.passed() + kCalmLongest;
    int writes = -1, transitions = -1;
    std::string tip;
    while (fine() && stage_.clock.passed() < latest) {
      run_until(stage_.clock.passed() + kQuiet);
      const bool quiet = writes == stage_.writer.writes && transitions == watchman_.transitions() &&
                         tip == stage_.remote.branches.at("main");
      writes = stage_.writer.writes;
      transitions = watchman_.transitions();
      tip = stage_.remote.branches.at("main");
      if (quiet && stage_.daemon().at_rest()) return check_ending();
    }
    if (!fine()) return;
    for (const std::string& why : unrest(stage_)) watchman_.alarm("does not come to rest: " + why);
    if (fine()) watchman_.alarm("does not come to rest");
  }

  void check_ending() {
    for (const std::string& wrong : wrong_at_the_end(stage_, people_, watchman_)) watchman_.alarm(wrong);
  }

  const bool keep_;
  Random random_;
  Stage stage_;
  std::vector<Duration> start_at_;  ///< of the seats without a process
  Random luck_;                     ///< of several seats
  const Weather weather_;
  SimulationResult result_;
  People people_;
  Watchman watchman_;
  Mischief mischief_;
};

}  // namespace

SimulationResult simulate(uint64_t seed, Transcript transcript) { return Simulation(seed, transcript).run(); }

}  // namespace reconciler
