#include "objects/marks.h"

#include "catch.h"

using namespace reconciler;

namespace {

Json with(const char* where, const char* name, const char* value) {
  return {{"kind", "ConfigMap"}, {"metadata", {{where, {{name, value}}}}}};
}

}  // namespace

TEST_CASE("an object without marks is applied always", "[marks]") {
  CHECK(marks_of(Json::object()) == Marks{});
  CHECK(marks_of(with("labels", "app", "checkout")) == Marks{});
}

TEST_CASE("marks are labels or annotations", "[marks]") {
  for (const char* where : {"labels", "annotations"}) {
    CHECK_FALSE(marks_of(with(where, "serin.dev/reconcile", "disabled")).reconciled);
    CHECK(marks_of(with(where, "serin.dev/force", "enabled")).replaced);
    CHECK(marks_of(with(where, "serin.dev/apply", "if-absent")).apply == ApplyMark::IfAbsent);
    CHECK(marks_of(with(where, "serin.dev/apply", "merge")).apply == ApplyMark::Merge);
  }
}

TEST_CASE("ignored paths are separated by commas or lines", "[marks]") {
  CHECK(marks_of(with("annotations", "serin.dev/ignore", "/spec/replicas, /data/a~1b\n/data/c")).ignored ==
        std::vector<Pointer>{{"spec", "replicas"}, {"data", "a/b"}, {"data", "c"}});
}

TEST_CASE("a mark that nobody understands is named", "[marks]") {
  CHECK(marks_of(with("annotations", "serin.dev/apply", "once")).unknown ==
        std::vector<std::string>{"serin.dev/apply: once"});
  CHECK(marks_of(with("annotations", "serin.dev/reconcile", "off")).unknown.size() == 1);
  CHECK(marks_of(with("annotations", "serin.dev/force", "yes")).unknown.size() == 1);
  CHECK(marks_of(with("annotations", "serin.dev/ignore", "spec.replicas")).unknown.size() == 1);
}
