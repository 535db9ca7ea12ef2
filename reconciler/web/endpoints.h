// The program's own HTTP endpoints. They only read what the loop publishes, so whoever asks can neither slow nor
// change what is decided.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "daemon/daemon.h"

namespace reconciler {

class Endpoints {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    uint16_t port = 0;  ///< zero: any free one
    std::string version;
  };

  /// Listens; `Transient` when the address cannot be bound.
  static Result<std::unique_ptr<Endpoints>> start(const Options& options, Clock& clock);
  ~Endpoints();

  uint16_t port() const;

  /// The loop turned. Cheap: for every turn, at the latest every 30 s.
  void beat();
  /// At most one a second is asked for.
  bool report_is_due() const;
  void publish(Report report);

  struct State;
  explicit Endpoints(std::unique_ptr<State> state);  ///< for `start`

 private:
  std::unique_ptr<State> state_;
};

}  // namespace reconciler
