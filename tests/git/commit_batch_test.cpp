// A batch is right when git itself reads from the clone what libgit2's own functions would have written.
#include "git/commit_batch.h"

#include <git2.h>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>

#include "catch.h"
#include "git/library.h"
#include "git/tree.h"

using namespace reconciler;
namespace fs = std::filesystem;

namespace {

constexpr TimePoint kMoment{1'700'000'000s};

/// A bare repository in a temporary folder, with one empty commit.
struct Bare {
  fs::path folder;
  Owned<git_repository> repository;
  std::string root;

  Bare() {
    set_up_git_library();
    std::string name = (fs::temp_directory_path() / "serin-batch-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder = name;
    REQUIRE(git_repository_init(fill(repository), name.c_str(), 1) == 0);
    auto blob = store_blob(*repository, "hello\n");
    REQUIRE(blob);
    auto made = commit_updates(*repository, "", {{"apps/a.yaml", *blob}}, {"Ann", "ann@example.com"}, kMoment, "First");
    REQUIRE(made);
    root = *made;
  }
  ~Bare() { fs::remove_all(folder); }
  bool is_sound() const {
    return std::system(("git -C " + folder.string() + " fsck --strict --full >/dev/null 2>&1").c_str()) == 0;
  }
};

const Identity kSerin{"Serin", "serin@localhost"};

/// The same change by libgit2 alone.
std::string plainly(git_repository& repository, const std::string& parent, const std::string& path,
                    const std::optional<std::string>& content, const std::string& message) {
  PathUpdate update{path, {}};
  if (content) update.blob = *store_blob(repository, *content);
  return *commit_updates(repository, parent, {update}, kSerin, kMoment, message);
}

std::set<fs::path> packs(const fs::path& folder) {
  std::set<fs::path> found;
  for (const auto& file : fs::directory_iterator(folder / "objects" / "pack"))
    if (file.path().extension() == ".pack") found.insert(file.path());
  return found;
}

}  // namespace

TEST_CASE("a batch makes the very commits that the library makes", "[batch]") {
  Bare plain, batched;
  std::minstd_rand random(3);
  auto batch = CommitBatch::on(*batched.repository, batched.root, kSerin);
  REQUIRE(batch);
  std::string tip = plain.root;
  for (int i = 0; i < 400; ++i) {
    // Names that sort differently as files and as directories, and directories that come and go.
    const std::string path = "status/default/" + std::string(1, char('a' + random() % 3)) + (random() % 2 ? "" : "-b") +
                             "/" + std::to_string(random() % 40) + ".yaml";
    std::optional<std::string> content;
    if (random() % 4) content = std::string(random() % 3000, char('a' + random() % 26)) + std::to_string(random() % 5);
    const std::string message = "Change " + std::to_string(i) + "\n";
    tip = plainly(*plain.repository, tip, path, content, message);
    REQUIRE(batch->add(path, content, kMoment, message));
    REQUIRE(batch->tip() == tip);
    if (i % 90 == 89) REQUIRE(batch->write(batched.folder.string()));
  }
  REQUIRE(batch->write(batched.folder.string()));
  auto id = id_from(tip);
  Owned<git_reference> ref;
  REQUIRE(git_reference_create(fill(ref), batched.repository.get(), "refs/heads/main", &id, 0, nullptr) == 0);
  CHECK(batched.is_sound());
}

TEST_CASE("a batch that changes nothing makes no commit", "[batch]") {
  Bare bare;
  auto batch = CommitBatch::on(*bare.repository, bare.root, kSerin);
  REQUIRE(batch);
  REQUIRE(batch->add("apps/a.yaml", "hello\n", kMoment, "Same"));
  REQUIRE(batch->add("status/missing.yaml", std::nullopt, kMoment, "Gone already"));
  CHECK(batch->commits() == 0);
  CHECK(batch->tip() == bare.root);
}

TEST_CASE("a file in the place of a directory is refused", "[batch]") {
  Bare bare;
  auto batch = CommitBatch::on(*bare.repository, bare.root, kSerin);
  REQUIRE(batch);
  CHECK_FALSE(batch->add("apps/a.yaml/b.yaml", "x", kMoment, "Below a file"));
  CHECK_FALSE(batch->add("apps", "x", kMoment, "Over a directory"));
}

TEST_CASE("a large directory costs what changes in it", "[batch]") {
  Bare bare;
  auto batch = CommitBatch::on(*bare.repository, bare.root, kSerin);
  REQUIRE(batch);
  auto path = [](int i) { return "status/app-" + std::to_string(i) + ".yaml"; };
  for (int i = 0; i < 500; ++i) REQUIRE(batch->add(path(i), "old", kMoment, "Add"));
  REQUIRE(batch->write(bare.folder.string()));
  for (int i = 0; i < 200; ++i) REQUIRE(batch->add(path(i), std::to_string(i), kMoment, "Change"));
  const std::set<fs::path> before = packs(bare.folder);
  REQUIRE(batch->write(bare.folder.string()));
  for (const fs::path& pack : packs(bare.folder))
    if (!before.contains(pack))
      CHECK(fs::file_size(pack) < 200'000);  // its tree alone is 20,000 bytes, two hundred times
}
