#include "base/credential_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/format.h"

namespace reconciler {
namespace {

constexpr size_t kBytesMax = 1 << 20;

class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {}
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

/// Who else may do what with the file is judged on the opened file, not on its name.
struct Rule {
  mode_t forbidden;
  std::string_view complaint;
};
constexpr Rule kSecret{0037, "others may read it; run chmod 600 on it"};
constexpr Rule kTrust{0022, "others may write to it; run chmod 644 on it"};

Result<std::string> read_checked(const std::string& path, std::string_view what, const Rule& rule) {
  OpenFile file(path);
  struct stat about {};
  if (file.get() < 0 || ::fstat(file.get(), &about) != 0)
    return invalid(format("{} {}: cannot be read: {}", what, path, std::strerror(errno)));
  if (!S_ISREG(about.st_mode)) return invalid(format("{} {}: is no file", what, path));
  if (about.st_mode & rule.forbidden) return invalid(format("{} {}: {}", what, path, rule.complaint));
  if (about.st_uid != 0 && about.st_uid != ::geteuid())
    return invalid(format("{} {}: belongs to another user; it must be root's or our own", what, path));
  std::string text(kBytesMax + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return invalid(format("{} {}: cannot be read: {}", what, path, std::strerror(errno)));
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > kBytesMax) return invalid(format("{} {}: too large", what, path));
  std::string exact(text, 0, size);
  wipe(text);
  return exact;
}

}  // namespace

Result<std::string> read_secret_file(const std::string& path, std::string_view what) {
  return read_checked(path, what, kSecret);
}

Result<std::string> read_secret_line(const std::string& path, std::string_view what) {
  auto text = read_secret_file(path, what);
  if (!text) return text;
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r' || text->back() == ' ')) text->pop_back();
  if (text->empty() || text->find_first_of("\r\n") != text->npos)
    return invalid(format("{} {}: must hold one line", what, path));
  return text;
}

Result<std::string> read_trust_file(const std::string& path, std::string_view what) {
  return read_checked(path, what, kTrust);
}

void wipe(std::string& secret) {
  explicit_bzero(secret.data(), secret.capacity());
  secret.clear();
}

}  // namespace reconciler
