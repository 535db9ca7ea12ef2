#include "manifest/ignore_file.h"

#include "catch.h"

using namespace reconciler;

TEST_CASE("ignore rules are read as they are written", "[ignore_file]") {
  IgnoreFile file = read_ignore_file("ignore.yaml", R"(ignore:
- target: {group: apps, kind: Deployment, namespace: shop, name: web-*, labels: {team: cart}}
  paths: [/spec/replicas, /metadata/annotations/example.com~1x]
- paths: [/data/stamp]
)");
  CHECK(file.problems.empty());
  CHECK(file.rules ==
        std::vector<IgnoreRule>{{.group = "apps",
                                 .kind = "Deployment",
                                 .ns = "shop",
                                 .name = "web-*",
                                 .labels = {{"team", "cart"}},
                                 .paths = {{"spec", "replicas"}, {"metadata", "annotations", "example.com/x"}}},
                                {.paths = {{"data", "stamp"}}}});
}

TEST_CASE("what is wrong with ignore rules is said with its place", "[ignore_file]") {
  auto first_problem = [](std::string_view text) {
    IgnoreFile file = read_ignore_file("ignore.yaml", text);
    REQUIRE_FALSE(file.problems.empty());
    return file.problems.front().text();
  };
  CHECK(first_problem("ignore:\n- paths: [spec.replicas]\n").find("ignore.yaml:2:") == 0);
  CHECK(first_problem("ignore:\n- paths: [spec.replicas]\n").find("JSON pointer") != std::string::npos);
  CHECK(first_problem("ignore:\n- target: {kind: Deployment}\n").find("paths is missing") != std::string::npos);
  CHECK(first_problem("ignore:\n- target: {knd: Deployment}\n  paths: [/a]\n").find("knd") != std::string::npos);
  CHECK(first_problem("rules: []\n").find("rules") != std::string::npos);
}
