// The program's own HTTP endpoints. They only read what the loop publishes, so whoever asks can neither slow nor
// change what is decided.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "daemon/daemon.h"
#include "web/measured_git.h"
#include "web/measurements.h"
#include "web/reachability.h"

namespace reconciler {

class Hooks;

class Endpoints {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    uint16_t port = 0;  ///< zero: any free one
    std::string version;
    Duration polls_due = 180s;  ///< a good poll older than this makes the program unready
    /// Makes the loop turn, so that it sees that a report is wanted. Called from any thread.
    std::function<void()> wake = nullptr;
    Hooks* hooks = nullptr;  ///< answered here too; null: not here
  };
  /// What is known beside the report; all of it may be read from any thread, and outlives the endpoints.
  struct Sources {
    const Measurements& measurements;
    const Reachability& health;
    const MeasuredGit& git;
  };

  /// Listens; `Transient` when the address cannot be bound.
  static Result<std::unique_ptr<Endpoints>> start(const Options& options, const Sources& sources, Clock& clock);
  ~Endpoints();

  uint16_t port() const;

  /// The loop turned. Cheap: for every turn, at the latest every 30 s.
  void beat();
  /// Somebody asked, and the last report is more than a moment old. A report is made for those who ask and for
  /// nobody else, at most once a second.
  bool report_is_wanted() const;
  void publish(Report report);

  struct State;
  explicit Endpoints(std::unique_ptr<State> state);  ///< for `start`

 private:
  std::unique_ptr<State> state_;
};

}  // namespace reconciler
