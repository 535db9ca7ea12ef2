#include "git/durable.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/format.h"

namespace reconciler {
namespace {

class OpenFile {
 public:
  OpenFile(const std::string& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

Error failed(const std::string& path) { return transient(format("cannot write {}: {}", path, std::strerror(errno))); }

bool write_all(int descriptor, const std::string& content) {
  for (size_t done = 0; done < content.size();) {
    ssize_t count = ::write(descriptor, content.data() + done, content.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += static_cast<size_t>(count);
  }
  return true;
}

}  // namespace

Result<void> sync_to_disk(const std::string& folder) {
  OpenFile directory(folder, O_RDONLY | O_DIRECTORY);
  if (directory.get() < 0 || ::syncfs(directory.get()) != 0) return failed(folder);
  return {};
}

Result<void> replace_file(const std::string& path, const std::string& content) {
  std::string temporary = path + ".lock";
  {
    OpenFile file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (file.get() < 0 || !write_all(file.get(), content) || ::fsync(file.get()) != 0) return failed(temporary);
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return failed(path);
  OpenFile directory(std::filesystem::path(path).parent_path().string(), O_RDONLY | O_DIRECTORY);
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return failed(path);
  return {};
}

}  // namespace reconciler
