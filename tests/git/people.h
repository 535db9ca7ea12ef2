// People who push to the watched repository: what a contract test needs of them, and how they do it with real `git`.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace reconciler::testing {

/// Changes made by somebody else than us, straight on the remote.
class People {
 public:
  virtual ~People() = default;
  /// One commit on `branch` (made when missing) that writes these files, and removes those without content ("").
  /// Returns its id.
  virtual std::string commit(const std::string& branch, const std::map<std::string, std::string>& files,
                             const std::string& message = "a change") = 0;
  /// Throws the newest commit of `branch` away and commits `files` in its place.
  virtual std::string rewrite(const std::string& branch, const std::map<std::string, std::string>& files) = 0;
  virtual void delete_branch(const std::string& branch) = 0;
  /// The content of a file at the tip of a branch; empty when there is none.
  virtual std::string read(const std::string& branch, const std::string& path) = 0;
  /// Subjects on `branch`, newest first.
  virtual std::vector<std::string> subjects(const std::string& branch) = 0;
};

/// A folder that is gone at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// What a command printed; the test fails when it does not exit with 0.
std::string run(const std::string& command);
/// Its exit code, output thrown away.
int exit_code(const std::string& command);
/// The lines of a text.
std::vector<std::string> lines(const std::string& text);

/// A bare repository in a folder, and a clone of it that people work in.
class GitPeople : public People {
 public:
  explicit GitPeople(const std::string& folder);
  std::string commit(const std::string& branch, const std::map<std::string, std::string>& files,
                     const std::string& message = "a change") override;
  std::string rewrite(const std::string& branch, const std::map<std::string, std::string>& files) override;
  void delete_branch(const std::string& branch) override;
  std::string read(const std::string& branch, const std::string& path) override;
  std::vector<std::string> subjects(const std::string& branch) override;

  const std::string& remote() const { return remote_; }
  /// `git` in the bare repository.
  std::string git(const std::string& arguments) const;

 private:
  std::string commit_on(const std::string& parent, const std::string& branch,
                        const std::map<std::string, std::string>& files, const std::string& message, bool force);
  std::string remote_;
  std::string work_;
};

}  // namespace reconciler::testing
