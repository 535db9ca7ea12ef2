// What goes wrong, and how often: each seed draws its own mix, so that rare combinations get their turn.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sim/random.h"

namespace reconciler {

/// The process dies at this moment. Thrown by the decorators of the ports through the whole program, so that nothing of
/// it goes on; the simulation catches it, throws the daemon away and starts a new one.
struct ProcessKilled {
  std::string where;
};

/// The chance of each fault at one kind of call.
struct CallFaults {
  double fails = 0;        ///< before any effect
  double reply_lost = 0;   ///< after the effect
  double dies_before = 0;  ///< the process, before the effect
  double dies_after = 0;   ///< after it
};

struct FaultMix {
  CallFaults poll, push, record, act, apply;
  double observe_fails = 0;
  double refused = 0;  ///< a write the API server refuses for good

  /// Mostly few kinds at a time; sometimes none, sometimes all.
  static FaultMix draw(Random& random);
};

/// One place where calls go wrong while `on`.
class Faults {
 public:
  Faults(FaultMix mix, Random random) : mix_(mix), random_(random) {}
  bool on = false;
  bool git_down = false;      ///< the remote is unreachable
  bool cluster_down = false;  ///< the API server is
  /// The process dies at the next calls like these, in order: `before shift weights`, `after record`.
  std::vector<std::string> dies_at;
  const FaultMix& mix() const { return mix_; }
  bool strikes(double probability) { return on && probability > 0 && random_.chance(probability); }

  /// Makes `call` with the faults of `chances` around it.
  template <class T, class Call>
  Result<T> around(const CallFaults& chances, const std::string& what, Call call) {
    if (strikes(chances.dies_before) || is_chosen("before " + what)) throw ProcessKilled{"before " + what};
    if (strikes(chances.fails)) return transient(what + ": connection refused");
    Result<T> answer = call();
    if (strikes(chances.dies_after) || is_chosen("after " + what)) throw ProcessKilled{"after " + what};
    if (strikes(chances.reply_lost)) return transient(what + ": the answer was lost");
    return answer;
  }

 private:
  bool is_chosen(const std::string& moment) {
    if (dies_at.empty() || !moment.starts_with(dies_at.front())) return false;
    dies_at.erase(dies_at.begin());
    return true;
  }

  const FaultMix mix_;
  Random random_;
};

}  // namespace reconciler
