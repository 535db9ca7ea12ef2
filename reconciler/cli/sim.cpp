#include <boost/program_options.hpp>
#include <iostream>

#include "base/format.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "sim/simulation.h"

namespace reconciler {
namespace {

namespace po = boost::program_options;

constexpr size_t kLastLines = 25;

void print_alarms(uint64_t seed, const SimulationResult& result) {
  std::cout << "seed " << seed << " failed:\n";
  for (const std::string& alarm : result.alarms) std::cout << "  " << alarm << "\n";
}

int replay(uint64_t seed) {
  const SimulationResult result = simulate(seed, Transcript::Keep);
  for (const std::string& line : result.transcript) std::cout << line << "\n";
  if (!result.alarms.empty()) print_alarms(seed, result);
  std::cout << format("{} passes, {} transitions, {} writes to the cluster, {} kills\n", result.passes,
                      result.transitions, result.writes, result.kills);
  return result.alarms.empty() ? 0 : 1;
}

/// The run again, to see what came before.
void explain(uint64_t seed) {
  const SimulationResult result = simulate(seed, Transcript::Keep);
  print_alarms(seed, result);
  const size_t first = result.transcript.size() > kLastLines ? result.transcript.size() - kLastLines : 0;
  for (size_t i = first; i < result.transcript.size(); ++i) std::cout << "    " << result.transcript[i] << "\n";
  std::cout << "  replay it: serin sim --seed " << seed << "\n" << std::flush;
}

int run_many(uint64_t first, uint64_t count, uint64_t failures_shown) {
  uint64_t failed = 0;
  SimulationResult sum;
  const uint64_t progress = std::max<uint64_t>(1, count / 10);
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const SimulationResult result = simulate(seed, Transcript::Skip);
    sum.passes += result.passes;
    sum.transitions += result.transitions;
    sum.writes += result.writes;
    sum.kills += result.kills;
    if (!result.alarms.empty() && ++failed <= failures_shown) explain(seed);
    if (!result.alarms.empty() && failed > failures_shown)
      std::cout << "seed " << seed << " failed: " << result.alarms.front() << "\n" << std::flush;
    const uint64_t done = seed - first + 1;
    if (done % progress == 0) std::cout << format("{} of {} seeds, {} failed\n", done, count, failed) << std::flush;
  }
  std::cout << format("{} seeds: {} passes, {} transitions, {} writes to the cluster, {} kills; {} failed\n", count,
                      sum.passes, sum.transitions, sum.writes, sum.kills, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace

int sim(const std::vector<std::string>& arguments) {
  po::options_description described("options");
  described.add_options()("seed", po::value<uint64_t>(), "replay one seed, with everything that happens")(
      "first-seed", po::value<uint64_t>()->default_value(1), "the first of several seeds")(
      "seeds", po::value<uint64_t>()->default_value(1000), "how many")(
      "failures-shown", po::value<uint64_t>()->default_value(5), "of how many failing seeds the end is printed")(
      "debug", "log all that the program logs, on standard error")("help,h", "this text");
  po::variables_map given;
  try {
    po::store(po::command_line_parser(arguments).options(described).run(), given);
    po::notify(given);
  } catch (const po::error& error) { return usage_error(error.what()); }
  if (given.contains("help")) {
    std::cout << "usage: serin sim [--first-seed N] [--seeds N] | --seed N\n\n"
                 "Runs the program in a world of its own, with people, faults and kills drawn from each seed, and\n"
                 "checks that no invariant is ever broken and that everything comes to rest.\n\n"
              << described;
    return 0;
  }
  // What the program logs about faults that are meant is of no interest here; the transcript tells more.
  set_up_log(given.contains("debug") ? LogLevel::Debug : LogLevel::Off, LogFormat::Text);
  if (given.contains("seed")) return replay(given["seed"].as<uint64_t>());
  const uint64_t seeds = given["seeds"].as<uint64_t>();
  if (seeds == 0) return usage_error("--seeds must be at least 1");
  return run_many(given["first-seed"].as<uint64_t>(), seeds, given["failures-shown"].as<uint64_t>());
}

}  // namespace reconciler
