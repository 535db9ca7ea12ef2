#pragma once

#include <string>

#include "base/time.h"
#include "rollout/plan.h"

namespace reconciler {

/// The demo as people see it: a line for each transition, with a bar for the canary's share; on a terminal in colour.
class DemoTimeline {
 public:
  enum class Surface { Terminal, Pipe };

  DemoTimeline(Surface surface, Duration begin) : surface_(surface), begin_(begin) {}

  /// `$ git commit -m "..."`: something a person did.
  void person(Duration now, const std::string& what);
  void heading(const std::string& text);
  void transition(Duration now, const RolloutKey& key, const Decision& decision);
  /// What goes on between two transitions; drawn in place on a terminal, left out elsewhere.
  void progress(Duration now, const RolloutKey& key, const Status& status, const std::string& why);

 private:
  std::string clock(Duration now) const;
  void clear_progress();

  Surface surface_;
  Duration begin_;
  bool drawn_ = false;
};

}  // namespace reconciler
