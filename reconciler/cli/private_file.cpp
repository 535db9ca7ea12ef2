#include "cli/private_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/format.h"

namespace reconciler {

Result<void> write_private_file(const std::string& path, std::string_view content) {
  std::string temporary = path + "." + std::to_string(getpid()) + ".tmp";
  auto refused = [&] {
    Error error = transient(format("{}: cannot be written: {}", path, std::strerror(errno)));
    unlink(temporary.c_str());
    return error;
  };
  int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return refused();
  while (!content.empty()) {
    ssize_t written = write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      Error error = refused();
      close(file);
      return error;
    }
    content.remove_prefix(size_t(written));
  }
  if (close(file) != 0 || rename(temporary.c_str(), path.c_str()) != 0) return refused();
  return {};
}

}  // namespace reconciler
