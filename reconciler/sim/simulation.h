// One run from a seed: people and faults for some virtual hours (the storm), then neither (the calm), then everything
// must come to rest as Git asks for and stay so. The same seed is the same run, on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reconciler {

struct SimulationResult {
  std::vector<std::string> alarms;      ///< empty when all is well
  std::vector<std::string> transcript;  ///< what happened, when asked for
  int passes = 0;
  int transitions = 0;
  int kills = 0;
  int writes = 0;  ///< to the cluster
};

enum class Transcript { Keep, Skip };

/// Never throws; a run that fails ends at its first alarm.
SimulationResult simulate(uint64_t seed, Transcript transcript);

}  // namespace reconciler
