// How the tests of git/ open the repository under test.
#pragma once

#include <memory>
#include <string>

#include "git/contract.h"
#include "git/libgit2_repository.h"

namespace reconciler::testing {

inline GitOptions options_for(const std::string& url, const std::string& state) {
  GitOptions options;
  options.url = url;
  options.state_directory = state;
  options.remote.deadline = 30s;
  return options;
}

/// Fails the test when it cannot be opened.
std::unique_ptr<GitRepository> open_repository(const GitOptions& options);

/// One status write of `status/default/shop/<name>.yaml`.
StatusWrite status_write(const std::string& name, const std::string& content, const std::string& message);

}  // namespace reconciler::testing
