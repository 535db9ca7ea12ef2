#include "cli/dry_run.h"

#include <iostream>
#include <mutex>

#include "base/format.h"

namespace reconciler {
namespace {

/// Calls come from several threads; a line stays whole.
void print(const std::string& line) {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  std::cout << line << std::endl;
}

}  // namespace

Result<void> DryRunGit::record(const std::vector<StatusWrite>& writes) {
  for (const StatusWrite& write : writes) print("would commit: " + write.message.substr(0, write.message.find('\n')));
  return {};
}

Result<void> DryRunCluster::carry_out(const RolloutKey& rollout, const Action& action) {
  print(format("would act: {}: {}", rollout.text(), describe(action)));
  // Nothing follows from an action that was not done, so the plan ends here.
  return invalid("dry run");
}

Result<Json> DryRunCluster::apply(const Json& object, ApplyMode mode) {
  auto answer = cluster_.apply(object, ApplyMode::DryRun);
  if (mode == ApplyMode::Write && answer) print("would apply: " + key_of(object).text());
  return answer;
}

}  // namespace reconciler
