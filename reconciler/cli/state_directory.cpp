#include "cli/state_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/format.h"

namespace reconciler {
namespace {

std::string default_path() {
  // systemd gives a list when several are configured; the first is ours.
  if (const char* given = std::getenv("STATE_DIRECTORY"); given && *given) {
    std::string first(given);
    return first.substr(0, first.find(':'));
  }
  if (const char* given = std::getenv("XDG_STATE_HOME"); given && *given) return std::string(given) + "/serin";
  if (const char* home = std::getenv("HOME"); home && *home) return std::string(home) + "/.local/state/serin";
  return "";
}

}  // namespace

Result<StateDirectory> StateDirectory::lock(const std::string& given) {
  const std::string path = given.empty() ? default_path() : given;
  if (path.empty()) return invalid("no state directory: give --state-dir, or set HOME");
  std::error_code error;
  if (auto parent = std::filesystem::path(path).parent_path(); !parent.empty())
    std::filesystem::create_directories(parent, error);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return invalid(format("{}: cannot make the state directory: {}", path, std::strerror(errno)));
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0 || !S_ISDIR(about.st_mode)) return invalid(format("{}: is no directory", path));
  if (about.st_uid != ::geteuid())
    return invalid(format("{}: belongs to another user; give --state-dir a folder of your own", path));
  if ((about.st_mode & 022) != 0) return invalid(format("{}: others may write to it; run chmod 700 on it", path));
  const std::string lock_path = path + "/lock";
  int fd = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return invalid(format("{}: cannot be opened: {}", lock_path, std::strerror(errno)));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    return invalid(format("{}: another serin uses this state directory; stop it or give --state-dir", path));
  }
  return StateDirectory(path, fd);
}

StateDirectory::StateDirectory(StateDirectory&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

StateDirectory::~StateDirectory() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace reconciler
