#include "git/library.h"

#include <git2.h>

#include <csignal>
#include <cstdlib>

#include "base/format.h"
#include "base/log.h"
#include "git/network_stream.h"

namespace reconciler {
namespace {

void set_up() {
  // Somebody's ~/.gitconfig must not redirect our remotes (`url.insteadOf`) or change what a commit holds.
  for (int level :
       {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_PROGRAMDATA})
    git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
  // A daemon of its own user may read a bare repository that user `git` owns: we run neither hooks nor filters of it.
  git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
  git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, static_cast<ssize_t>(4 << 20));  // its own default is 256 MiB
  // A push walks every directory of its base. One of a hundred files is larger than what the library keeps by itself.
  git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, GIT_OBJECT_TREE, size_t{64} << 10);
  git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, static_cast<size_t>(2'000'000));
  git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 0);  // `sync_to_disk` makes a whole batch durable at once
  install_network_streams();
  // A TLS peer that hangs up while we write must not kill the process.
  struct sigaction present {};
  if (sigaction(SIGPIPE, nullptr, &present) == 0 && present.sa_handler == SIG_DFL) std::signal(SIGPIPE, SIG_IGN);
}

/// The library fails every SSH connection when there is no HOME, as in a system service, although what it would read
/// there, `~/.ssh/known_hosts`, decides nothing: only the pinned file does. So it gets one in which there is nothing.
void ensure_home() {
  if (!std::getenv("HOME")) setenv("HOME", "/dev", 1);
}

}  // namespace

void set_up_git_library() {
  struct Library {
    Library() {
      git_libgit2_init();
      set_up();
    }
    ~Library() { git_libgit2_shutdown(); }
  };
  static const Library library;
  ensure_home();
}

std::string last_git_error(std::string_view fallback) {
  // After a refused authentication the library leaves no text, or a stale one about a missing setting.
  const git_error* error = git_error_last();
  std::string text = error && error->message ? error->message : "";
  if (text.empty() || text.find("config value '") == 0) return std::string(fallback);
  return redact(text);
}

Error library_error(std::string_view doing) {
  return invalid(format("{}: {}", doing, last_git_error("unknown error")));
}

std::string id_text(const git_oid& id) {
  char text[GIT_OID_HEXSZ + 1];
  git_oid_tostr(text, sizeof text, &id);
  return text;
}

git_oid id_from(std::string_view text) {
  git_oid id{};
  if (!is_full_id(text) || git_oid_fromstrn(&id, text.data(), text.size()) < 0) return git_oid{};
  return id;
}

bool is_full_id(std::string_view text) {
  return text.size() == GIT_OID_HEXSZ && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace reconciler
