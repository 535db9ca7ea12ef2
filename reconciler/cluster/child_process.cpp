#include "cluster/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/format.h"

extern "C" char** environ;

namespace reconciler {
namespace {

constexpr size_t kOutputBytesMax = size_t{1} << 20;
constexpr Duration kLook = 5ms;

/// A list of texts as C wants it.
std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> environment_of(const ChildProcess& child) {
  std::vector<std::string> out;
  for (char** at = environ; *at; ++at) {
    const std::string line = *at;
    if (!child.environment.contains(line.substr(0, line.find('=')))) out.push_back(line);
  }
  for (const auto& [name, value] : child.environment) out.push_back(name + "=" + value);
  return out;
}

/// Starts it in a process group of its own with `output` as its standard output.
Result<pid_t> start(const ChildProcess& child, int output) {
  std::vector<std::string> command = child.command, environment = environment_of(child);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);  // ours leaves the stop signals to one thread
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t process = -1;
  const int error = ::posix_spawnp(&process, command.front().c_str(), &files, &attributes, pointers(command).data(),
                                   pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return transient(format("cannot be started: {}", std::strerror(error)));
  return process;
}

/// Everything up to the end of the pipe; nothing when it does not come in time, or is too much.
std::optional<std::string> read_all(int pipe, Clock& clock, Duration end) {
  std::string text;
  std::array<char, 4096> block{};
  while (text.size() <= kOutputBytesMax) {
    const Duration left = end - clock.monotonic();
    pollfd ready{.fd = pipe, .events = POLLIN, .revents = 0};
    if (left <= 0ms || ::poll(&ready, 1, int(left.count())) <= 0) return std::nullopt;
    const ssize_t count = ::read(pipe, block.data(), block.size());
    if (count <= 0) return text;
    text.append(block.data(), size_t(count));
  }
  return std::nullopt;
}

/// Its exit status; nothing when it did not end in time.
std::optional<int> wait_for(pid_t process, Clock& clock, Duration end) {
  int status = 0;
  while (::waitpid(process, &status, WNOHANG) == 0) {
    if (clock.monotonic() >= end) return std::nullopt;
    ::poll(nullptr, 0, int(kLook.count()));
  }
  return status;
}

}  // namespace

Result<std::string> output_of(const ChildProcess& child, Clock& clock, Duration limit) {
  const Duration end = clock.monotonic() + limit;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return transient(format("no pipe: {}", std::strerror(errno)));
  auto process = start(child, ends[1]);
  ::close(ends[1]);
  if (!process) {
    ::close(ends[0]);
    return process.error();
  }
  const auto text = read_all(ends[0], clock, end);
  ::close(ends[0]);
  const auto status = text ? wait_for(*process, clock, end) : std::nullopt;
  if (!status) {
    ::kill(-*process, SIGKILL);
    ::waitpid(*process, nullptr, 0);
    return transient(format("it did not come to an end within {}, or printed too much", format_duration(limit)));
  }
  if (WIFSIGNALED(*status)) return transient(format("it was ended by signal {}", WTERMSIG(*status)));
  if (WEXITSTATUS(*status) != 0) return transient(format("it failed with exit code {}", WEXITSTATUS(*status)));
  return *text;
}

}  // namespace reconciler
