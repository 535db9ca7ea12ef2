#include "git/open_repository.h"

#include "catch.h"

namespace reconciler::testing {

std::unique_ptr<GitRepository> open_repository(const GitOptions& options) {
  auto opened = Libgit2Repository::open(options);
  if (!opened) FAIL(opened.error().message);
  return std::move(*opened);
}

StatusWrite status_write(const std::string& name, const std::string& content, const std::string& message) {
  return {.path = "status/default/shop/" + name + ".yaml",
          .content = content,
          .message = message + "\n",
          .time = *parse_time("2026-11-22T10:00:02Z")};
}

}  // namespace reconciler::testing
