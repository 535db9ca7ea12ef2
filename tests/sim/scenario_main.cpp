// Plays scenario files and compares them with what they expect; UPDATE=1 writes what really happened.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/log.h"
#include "sim/scenario.h"

namespace {

/// The lines that differ, with the numbers they have in the file.
void print_difference(const std::string& path, const std::string& expected, const std::string& actual) {
  std::istringstream left(expected), right(actual);
  std::string wanted, got;
  for (int line = 1;; ++line) {
    const bool more_left = bool(std::getline(left, wanted)), more_right = bool(std::getline(right, got));
    if (!more_left && !more_right) return;
    if (more_left && more_right && wanted == got) continue;
    if (more_left) std::cout << path << ":" << line << ": expected " << wanted << "\n";
    if (more_right) std::cout << path << ":" << line << ": happened " << got << "\n";
  }
}

}  // namespace

int main(int count, char** arguments) {
  const char* update = std::getenv("UPDATE");
  const bool log = std::getenv("LOG") != nullptr;
  reconciler::set_up_log(log ? reconciler::LogLevel::Debug : reconciler::LogLevel::Error, reconciler::LogFormat::Text);
  int failed = 0;
  for (int i = 1; i < count; ++i) {
    const std::string path = arguments[i];
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    std::string actual;
    try {
      actual = reconciler::testing::played(text.str());
    } catch (const std::exception& error) {
      std::cout << path << ": " << error.what() << "\n";
      ++failed;
      continue;
    }
    if (actual == text.str()) continue;
    if (update && *update == '1') {
      std::ofstream(path) << actual;
    } else {
      print_difference(path, text.str(), actual);
      ++failed;
    }
  }
  return failed == 0 ? 0 : 1;
}
