#include "sim/faulty_git.h"

namespace reconciler {

Result<Head> FaultyGit::poll() {
  if (faults_.git_down) return transient("poll: the remote cannot be reached");
  return faults_.around<Head>(faults_.mix().poll, "poll", [&] { return inner_.poll(); });
}

Result<void> FaultyGit::record(const std::vector<StatusWrite>& writes) {
  return faults_.around<void>(faults_.mix().record, "record", [&] { return inner_.record(writes); });
}

Result<PushReport> FaultyGit::push() {
  if (faults_.git_down) return transient("push: the remote cannot be reached");
  return faults_.around<PushReport>(faults_.mix().push, "push", [&] { return inner_.push(); });
}

}  // namespace reconciler
