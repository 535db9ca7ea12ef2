#include "cli/examples.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "manifest/manifest.h"

#include "catch.h"

using namespace reconciler;

TEST_CASE("the program carries every file of examples-repo, byte for byte", "[examples]") {
  std::filesystem::path folder = std::filesystem::path(SERIN_SOURCE_DIR) / "examples-repo";
  std::vector<ExampleFile> files = example_files();
  size_t found = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().filename() == "demo.sh") continue;
    std::string path = std::filesystem::relative(entry.path(), folder).string();
    auto file = std::find_if(files.begin(), files.end(), [&](const ExampleFile& f) { return f.path == path; });
    INFO(path << " must stand in CMakeLists.txt");
    REQUIRE(file != files.end());
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    CHECK(file->text == text.str());
    ++found;
  }
  CHECK(found == files.size());
}

TEST_CASE("the examples are valid: three rollouts and everything they need", "[examples]") {
  size_t rollouts = 0;
  for (const ExampleFile& file : example_files()) {
    if (!is_manifest_path(file.path)) continue;
    ManifestFile read = read_manifests(std::string(file.path), file.text, "default");
    for (const std::vector<Problem>& list : {read.problems, read.warnings})
      for (const Problem& problem : list) FAIL_CHECK(problem.text());
    CHECK(read.refused.empty());
    rollouts += read.rollouts.size();
  }
  CHECK(rollouts == 3);
}
