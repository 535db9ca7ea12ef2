#include "base/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "base/format.h"

namespace reconciler {
namespace {

using Clock = std::chrono::steady_clock;

/// A pair of sockets: unlike a pipe, writing to one that nobody reads raises no signal.
class Pipe {
 public:
  Pipe() { opened_ = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()) == 0; }
  ~Pipe() {
    close_read();
    close_write();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool is_open() const { return opened_; }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close_read() { close_end(0); }
  void close_write() { close_end(1); }

 private:
  void close_end(size_t end) {
    if (ends_[end] >= 0) ::close(std::exchange(ends_[end], -1));
  }
  std::array<int, 2> ends_{-1, -1};
  bool opened_ = false;
};

/// Kills and reaps the child, and whoever it started, unless that has been done.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Its exit code; nothing when it is not over by then. It may live on with its outputs closed.
  std::optional<int> wait_until(Clock::time_point end) {
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) != pid_) {
      if (Clock::now() > end) return {};
      ::poll(nullptr, 0, 1);
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  }

 private:
  pid_t pid_;
};

/// Of a bare child nothing of ours: no HOME with somebody's settings, no agent, no secret.
std::vector<std::string> environment_of(const ChildCommand& command) {
  std::vector<std::string> lines;
  if (command.surroundings == Surroundings::Bare) lines = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C"};
  if (command.surroundings == Surroundings::Ours)
    for (char** at = environ; *at; ++at)
      if (const std::string line = *at; !command.environment.contains(line.substr(0, line.find('='))))
        lines.push_back(line);
  for (const auto& [name, value] : command.environment) lines.push_back(name + "=" + value);
  return lines;
}

Result<pid_t> spawn(const ChildCommand& command, const Pipe& input, const Pipe& output, const Pipe& complaint) {
  std::vector<std::string> words = {command.program};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::vector<std::string> lines = environment_of(command);
  std::vector<char*> environment;
  for (std::string& line : lines) environment.push_back(line.data());
  environment.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&files, input.read_end(), 0);
  posix_spawn_file_actions_adddup2(&files, output.write_end(), 1);
  posix_spawn_file_actions_adddup2(&files, complaint.write_end(), 2);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  int error = ENOENT;
  if (command.surroundings == Surroundings::Ours) {
    error = ::posix_spawnp(&pid, command.program.c_str(), &files, &attributes, arguments.data(), environment.data());
  } else {
    for (const char* folder : {"/usr/local/bin/", "/usr/bin/", "/bin/"}) {
      std::string program = folder + command.program;
      error = ::posix_spawn(&pid, program.c_str(), &files, &attributes, arguments.data(), environment.data());
      if (error != ENOENT) break;
    }
  }
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return transient(format("cannot start {}: {}", command.program, std::strerror(error)));
  return pid;
}

Error late(const ChildCommand& command) {
  return transient(format("{} did not end within {}", command.program, format_duration(command.time_limit)));
}

/// Feeds and drains the child until it has closed both of its ends; what it said goes into `result`.
Result<void> converse(const ChildCommand& command, Clock::time_point end, Pipe& input, Pipe& output, Pipe& complaint,
                      ChildResult& result) {
  std::string_view rest = command.input;
  if (rest.empty()) input.close_write();
  std::array<std::pair<Pipe*, std::string*>, 2> streams{{{&output, &result.output}, {&complaint, &result.complaint}}};
  while (output.read_end() >= 0 || complaint.read_end() >= 0) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return late(command);
    std::array<pollfd, 3> waiting{{{output.read_end(), POLLIN, 0},  // a closed end is passed over
                                   {complaint.read_end(), POLLIN, 0},
                                   {input.write_end(), POLLOUT, 0}}};
    if (::poll(waiting.data(), waiting.size(), static_cast<int>(left)) < 0 && errno != EINTR)
      return transient(format("{}: {}", command.program, std::strerror(errno)));
    if (waiting[2].revents) {
      ssize_t sent = ::send(input.write_end(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent > 0) rest.remove_prefix(static_cast<size_t>(sent));
      // A child that does not want its input any more is no error: its exit code tells.
      if (rest.empty() || (sent < 0 && errno != EINTR && errno != EAGAIN)) input.close_write();
    }
    for (size_t i = 0; i < streams.size(); ++i) {
      auto& [pipe, text] = streams[i];
      if (!waiting[i].revents) continue;
      char buffer[4096];
      ssize_t got = ::read(pipe->read_end(), buffer, sizeof buffer);
      if (got > 0) text->append(buffer, static_cast<size_t>(got));
      if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) pipe->close_read();
      if (text->size() > command.output_bytes_max) return transient(format("{} says too much", command.program));
    }
  }
  return {};
}

}  // namespace

Result<ChildResult> run_child(const ChildCommand& command) {
  Pipe input, output, complaint;
  if (!input.is_open() || !output.is_open() || !complaint.is_open())
    return transient(format("cannot start {}: {}", command.program, std::strerror(errno)));
  ::fcntl(input.write_end(), F_SETFL, O_NONBLOCK);
  auto pid = spawn(command, input, output, complaint);
  if (!pid) return pid.error();
  Child child(*pid);
  input.close_read();
  output.close_write();
  complaint.close_write();
  const auto end = Clock::now() + command.time_limit;
  ChildResult result;
  if (auto done = converse(command, end, input, output, complaint, result); !done) return done.error();
  input.close_write();
  auto code = child.wait_until(end);
  if (!code) return late(command);
  result.exit_code = *code;
  return result;
}

}  // namespace reconciler
