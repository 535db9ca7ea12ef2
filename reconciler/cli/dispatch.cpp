#include <iostream>

#include "base/format.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/options.h"

namespace reconciler {
namespace {

struct Command {
  std::string_view name;
  std::string_view summary;
  int (*function)(const std::vector<std::string>& arguments);
};

/// One line a command, in the order of `serin --help`.
const std::vector<Command>& commands() {
  static const std::vector<Command> table = {
      {"run", "the daemon: watch a repository and bring the cluster into line", run},
      {"validate", "check manifests, status and decision files", validate},
      {"demo", "everything on this machine: a repository, a cluster, a canary, a revert", demo},
      {"plan", "what a revision would change: objects and canary steps", plan},
      {"status", "where every rollout is, as recorded in Git", status},
      {"history", "every transition of a rollout, by whom and why", history},
      {"at", "what served at a time", at},
      {"audit", "every deployment: who, how long, how it ended", audit},
      {"verify", "is the recorded history whole and ours?", verify},
      {"approve", "let a canary go on", approve},
      {"abort", "take the traffic from a canary and reject it", abort},
      {"retry", "start again what was rejected", retry},
      {"pause", "hold a canary where it is", pause},
      {"resume", "let a paused canary go on", resume},
      {"cluster", "the embedded cluster alone, for kubectl and tests", cluster},
      {"sim", "run the program on seeds of people, faults and kills", sim},
  };
  return table;
}

void print_help() {
  std::cout << "Serin watches a Git repository of Rollout manifests and takes changed images through canary steps.\n\n"
               "usage: serin COMMAND [ARGUMENTS]\n\n";
  for (const Command& command : commands())
    std::cout << "  " << command.name << std::string(12 - command.name.size(), ' ') << command.summary << "\n";
  std::cout << "\n`serin COMMAND --help` tells more; `serin --version` prints the version.\n";
}

int run_command(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return usage_error("no command given (see: serin --help)");
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    if (arguments.size() == 2 && name == "help") return run_command({arguments[1], "--help"});
    print_help();
    return 0;
  }
  if (name == "--version" || name == "version") {
    std::cout << "serin " << SERIN_VERSION << "\n";
    return 0;
  }
  for (const Command& command : commands())
    if (command.name == name) return command.function({arguments.begin() + 1, arguments.end()});
  return usage_error(format("unknown {} {} (see: serin --help)", name.starts_with("-") ? "option" : "command", name));
}

}  // namespace

int dispatch(const std::vector<std::string>& arguments) {
  set_up_log(LogLevel::Warn, LogFormat::Text);
  int code = run_command(arguments);
  // A full disk or a closed pipe behind standard output is a failure like any other.
  if (!std::cout.flush() && code == 0) return failed(transient("standard output could not be written"));
  return code;
}

}  // namespace reconciler
