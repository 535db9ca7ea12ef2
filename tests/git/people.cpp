#include "git/people.h"

#include <stdlib.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace reconciler::testing {
namespace {

namespace fs = std::filesystem;

// `git` without the configuration of whoever runs the tests.
const char* environment =
    "export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 GIT_AUTHOR_NAME=Ada "
    "GIT_AUTHOR_EMAIL=ada@example.com GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.com; ";

std::pair<int, std::string> execute(const std::string& command) {
  std::string whole = environment + ("{ " + command + "\n} 2>&1");
  FILE* pipe = popen(whole.c_str(), "r");
  if (!pipe) throw std::runtime_error("cannot run " + command);
  std::string output;
  std::array<char, 4096> buffer;
  while (size_t count = fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), count);
  return {pclose(pipe), output};
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "serin-test-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("cannot make a temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string run(const std::string& command) {
  auto [code, output] = execute(command);
  if (code != 0) throw std::runtime_error(command + ": " + output);
  while (!output.empty() && output.back() == '\n') output.pop_back();
  return output;
}

int exit_code(const std::string& command) {
  int status = execute(command).first;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) all.push_back(line);
  return all;
}

GitPeople::GitPeople(const std::string& folder) : remote_(folder + "/remote.git"), work_(folder + "/people") {
  run("git init -q --bare -b main " + remote_ + " && git init -q -b main " + work_ + " && git -C " + work_ +
      " remote add origin " + remote_);
}

std::string GitPeople::git(const std::string& arguments) const { return run("git -C " + remote_ + " " + arguments); }

std::string GitPeople::commit_on(const std::string& parent, const std::string& branch,
                                 const std::map<std::string, std::string>& files, const std::string& message,
                                 bool force) {
  std::string start = parent.empty() ? "git -C " + work_ + " checkout -q --orphan new && git -C " + work_ +
                                           " rm -rfq --ignore-unmatch ."
                                     : "git -C " + work_ + " checkout -q --detach " + parent;
  run("git -C " + work_ + " fetch -q origin && git -C " + work_ + " branch -qD new 2>/dev/null; " + start);
  for (const auto& [path, content] : files) {
    fs::path file = fs::path(work_) / path;
    if (content.empty()) {
      fs::remove(file);
      continue;
    }
    fs::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }
  run("cd " + work_ + " && git add -A && git commit -q --allow-empty -m '" + message + "' && git push -q " +
      (force ? "--force " : "") + "origin HEAD:refs/heads/" + branch);
  auto id = run("git -C " + work_ + " rev-parse HEAD");
  run("git -C " + work_ + " checkout -q --detach");
  return id;
}

std::string GitPeople::commit(const std::string& branch, const std::map<std::string, std::string>& files,
                              const std::string& message) {
  for (int tries = 1;; tries++) {
    bool exists = exit_code("git -C " + remote_ + " rev-parse -q --verify refs/heads/" + branch) == 0;
    try {
      return commit_on(exists ? git("rev-parse refs/heads/" + branch) : "", branch, files, message, false);
    } catch (const std::runtime_error&) {
      if (tries == 20) throw;  // a person whose push lost a race fetches and tries again
    }
  }
}

std::string GitPeople::rewrite(const std::string& branch, const std::map<std::string, std::string>& files) {
  bool has_parent = exit_code("git -C " + remote_ + " rev-parse -q --verify refs/heads/" + branch + "~1") == 0;
  return commit_on(has_parent ? git("rev-parse refs/heads/" + branch + "~1") : "", branch, files, "rewritten", true);
}

void GitPeople::delete_branch(const std::string& branch) { git("update-ref -d refs/heads/" + branch); }

std::string GitPeople::read(const std::string& branch, const std::string& path) {
  std::string name = "refs/heads/" + branch + ":" + path;
  if (exit_code("git -C " + remote_ + " cat-file -e " + name) != 0) return {};
  return git("cat-file blob " + name);
}

std::vector<std::string> GitPeople::subjects(const std::string& branch) {
  return lines(git("log --format=%s refs/heads/" + branch));
}

}  // namespace reconciler::testing
