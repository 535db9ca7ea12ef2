#include "cli/identity.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "base/format.h"
#include "cli/private_file.h"

namespace reconciler {
namespace {

constexpr size_t kLongest = 200;

std::string machine_name() {
  std::array<char, 65> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "serin";
  return name.data();
}

Result<std::string> new_identity() {
  std::array<unsigned char, 8> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != ssize_t(bytes.size()))
    return transient("no random numbers from the system");
  constexpr std::string_view digits = "0123456789abcdef";
  std::string identity = machine_name() + "-";
  for (unsigned char byte : bytes) {
    identity += digits[byte >> 4];
    identity += digits[byte & 15];
  }
  return identity;
}

bool is_sound(const std::string& identity) {
  return !identity.empty() && identity.size() <= kLongest &&
         std::all_of(identity.begin(), identity.end(), [](unsigned char c) { return std::isgraph(c); });
}

}  // namespace

Result<std::string> daemon_identity(const std::string& state_directory) {
  const std::string path = state_directory + "/identity";
  std::string known;
  if (std::ifstream file(path); file) {
    std::getline(file, known);
    if (is_sound(known)) return known;
    return invalid(format("{}: is no identity; remove the file, and a new one is made", path));
  }
  std::error_code error;
  if (std::filesystem::exists(path, error)) return invalid(format("{}: cannot be read", path));
  auto made = new_identity();
  if (!made) return made;
  if (auto written = write_private_file(path, *made + "\n"); !written) return written.error();
  return made;
}

}  // namespace reconciler
