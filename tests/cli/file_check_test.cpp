#include "cli/file_check.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "catch.h"

using namespace reconciler;

namespace {

namespace fs = std::filesystem;

/// A folder that is gone afterwards.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "serin-validate-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()));
    path_ = fs::canonical(name);
  }
  ~Folder() { fs::remove_all(path_); }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }
  fs::path operator/(const std::string& name) const { return path_ / name; }
  std::string text() const { return path_.string(); }

 private:
  fs::path path_;
};

std::string config_map(const std::string& name) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\n";
}

/// What was found, without the folder.
std::vector<std::string> texts(const std::vector<Problem>& problems, const Folder& folder) {
  std::vector<std::string> out;
  for (const Problem& problem : problems) {
    std::string text = problem.text();
    for (size_t at; (at = text.find(folder.text() + "/")) != text.npos;) text.erase(at, folder.text().size() + 1);
    out.push_back(text);
  }
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a folder is checked by the rules of the daemon", "[validate]") {
  Folder folder;
  folder.write("b/good.yaml", config_map("a") + "---\n" + config_map("b"));
  folder.write("a.json", "{\"kind\": \"ConfigMap\"}");
  folder.write("a/broken.yml", "a: [\n");
  folder.write(".github/x.yaml", "a: [");
  folder.write("notes.txt", "a: [");
  fs::create_symlink(folder / "a/broken.yml", folder / "link.yaml");
  CheckReport report = check_paths({folder.text()}, "default");
  CHECK(report.files == 3);
  CHECK(report.objects == 2);
  CHECK(texts(report.problems, folder) ==
        Texts{"a/broken.yml:2:1: not YAML: end of sequence flow not found", "a.json:1:1: kind without apiVersion"});
  CHECK(texts(report.warnings, folder) == Texts{"link.yaml: symlinks are skipped"});
}

TEST_CASE("an object that stands in two files is named with both", "[validate]") {
  Folder folder;
  folder.write("a.yaml", config_map("x"));
  folder.write("b.yaml", "\n\n" + config_map("x"));
  CHECK(texts(check_paths({folder.text()}, "default").problems, folder) ==
        Texts{"b.yaml:3:1: ConfigMap default/x stands in two files, also at a.yaml:1; keep one"});
  CHECK(check_paths({(folder / "a.yaml").string(), folder.text() + "/./a.yaml"}, "default").problems.empty());
}

TEST_CASE("records are checked as what they are", "[validate]") {
  Folder folder;
  fs::create_directories(folder / ".git");
  folder.write("status/default/shop/checkout.yaml",
               "apiVersion: serin.dev/v1alpha1\nkind: RolloutStatus\nmetadata: {name: checkout, namespace: shop}\n"
               "status: {phase: Healthy, weight: 200}\n");
  folder.write("decisions/default/shop/checkout.yaml",
               "apiVersion: serin.dev/v1alpha1\nkind: RolloutDecision\nmetadata: {name: cart, namespace: shop}\n"
               "spec: {action: promote, revision: 6d4c}\n");
  folder.write("apps/status/a.yaml", config_map("a"));
  Texts expected = {
      "decisions/default/shop/checkout.yaml:3:1: metadata: names another rollout than the path of the "
      "file, which should end with /shop/cart.yaml",
      "status/default/shop/checkout.yaml:4:26: status.weight: must be 0 to 100, is 200"};
  CHECK(texts(check_paths({folder.text()}, "default").problems, folder) == expected);
  CHECK(texts(check_paths({(folder / "decisions").string(), (folder / "status/default").string()}, "default").problems,
              folder) == expected);
}

TEST_CASE("a path that is not there is an error, a folder without manifests a warning", "[validate]") {
  Folder folder;
  CHECK(texts(check_paths({(folder / "nowhere").string()}, "default").problems, folder) ==
        Texts{"nowhere: No such file or directory"});
  CheckReport report = check_paths({folder.text()}, "default");
  CHECK(report.problems.empty());
  CHECK(report.warnings.size() == 1);
}

TEST_CASE("a file above the limit is refused without being read whole", "[validate]") {
  Folder folder;
  folder.write("big.yaml", std::string(3 << 20, '#'));
  CHECK(texts(check_paths({folder.text()}, "default").problems, folder) ==
        Texts{"big.yaml: the file is larger than 1048576 bytes"});
}
